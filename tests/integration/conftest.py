"""Servers once for all tests: those that tests/run has started, or our own when pytest is called by hand."""
import collections
import os
import pathlib
import shutil
import sys
import tempfile

import pytest

for folder in ("deploy/lib", "tests/faults"):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / folder))

from world import World, server  # noqa: E402

Servers = collections.namedtuple("Servers", "directory kafka postgres registry")
NAMES = ("kafka", "postgres", "registry")


def pytest_configure(config):
    """kafka-python reads the protocol's definitions in a way that Python 3.11 would like to be another."""
    config.addinivalue_line("filterwarnings", "ignore:(read|open)_text is deprecated:DeprecationWarning")


@pytest.fixture(scope="session")
def servers():
    given = os.environ.get("BOOKING_TEST_SERVERS")
    if given:
        directory = pathlib.Path(given)
        yield Servers(directory, *((directory / name / "address").read_text(encoding="utf-8").strip() for name in NAMES))
        return
    directory = pathlib.Path(tempfile.mkdtemp(prefix="booking-tests."))
    directory.chmod(0o755)
    try:
        yield Servers(directory, *(server("start", name, directory) for name in NAMES))
    finally:
        for name in NAMES:
            server("stop", name, directory)
        shutil.rmtree(directory)


@pytest.fixture
def own_kafka(servers, tmp_path):
    """The shared servers, but a broker that the test may kill: the shared one has everybody's topics to recover."""
    directory = tmp_path / "servers"
    directory.mkdir()
    yield servers._replace(directory=directory, kafka=server("start", "kafka", directory))
    server("stop", "kafka", directory)


@pytest.fixture
def own_postgres(servers):
    """The same with Postgres: before it recovers from a crash, the shared one syncs every file of everybody's databases, a minute long
    on a slow disk. Not below pytest's directories: those are root's."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="booking-postgres."))
    directory.chmod(0o755)
    try:
        yield servers._replace(directory=directory, postgres=server("start", "postgres", directory))
    finally:
        server("stop", "postgres", directory)
        shutil.rmtree(directory)


@pytest.fixture
def make_world(servers, tmp_path):
    """World(…) on the shared servers; all that it started is stopped after the test. A failed test keeps its logs."""
    worlds = []

    def make(on=servers, **settings):
        directory = tmp_path / str(len(worlds))
        directory.mkdir()
        worlds.append(World(directory, on, **settings))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()


@pytest.fixture
def world(make_world):
    return make_world()
