"""The servers of the fault suite: three brokers, a Postgres primary with a synchronous standby, and proxies before them all."""
import collections
import contextlib
import concurrent.futures
import os
import pathlib
import shutil
import signal
import subprocess

import psycopg

from world import server, until

# What a World needs to know of them.
Addresses = collections.namedtuple("Addresses", "directory kafka postgres registry")
BROKERS = ("1", "2", "3")


def at_once(acts):
    """Runs them side by side; the first failure is the caller's."""
    with concurrent.futures.ThreadPoolExecutor(max(len(acts), 1)) as pool:
        return [job.result() for job in [pool.submit(act) for act in acts]]


def processes_below(process):
    """It and all that it has started, by the kernel's own list."""
    children = pathlib.Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    return [process, *(below for child in children for below in processes_below(int(child)))]


class Cluster:
    """Three Kafka brokers: each partition on all of them, two of them for a write."""

    def __init__(self, directory):
        self.directory = directory
        os.environ.setdefault("KAFKA_HEAP", "320m")
        server("form", "kafka", directory)
        self.brokers = directory / "kafka"
        self.running = set()
        self.start(*BROKERS)

    def start(self, *names):
        at_once([lambda name=name: server("start", name, self.brokers, program="kafka") for name in names])
        self.running.update(names)

    def stop(self, name):
        self.running.discard(name)
        server("stop", name, self.brokers, program="kafka")

    def kill(self, name):
        self.running.discard(name)
        server("kill", name, self.brokers, program="kafka")

    def start_all(self):
        self.start(*(name for name in BROKERS if name not in self.running))

    def close(self):
        at_once([lambda name=name: self.kill(name) for name in BROKERS])

    def port(self, name, which="port"):
        """`port`: its own; `behind`: where a proxy's connections go to; `proxy`: where that proxy is to listen."""
        return int((self.brokers / name / which).read_text(encoding="ascii"))

    @property
    def address(self):
        return ",".join(f"127.0.0.1:{self.port(name)}" for name in BROKERS)

    @property
    def proxied_address(self):
        return ",".join(f"127.0.0.1:{self.port(name, 'proxy')}" for name in BROKERS)


class Pair:
    """A Postgres primary and its synchronous standby; who is which changes with a failover."""

    def __init__(self, directory):
        self.directory = directory
        self.primary, self.standby = "postgres-a", "postgres-b"
        server("start", self.primary, directory, program="postgres")
        self.follow()

    def port(self, name):
        return int((self.directory / name / "port").read_text(encoding="ascii"))

    def address(self, ports=None, more="user=postgres dbname=postgres"):
        """A conninfo that finds the primary among both; it stands first as long as it is the primary."""
        ports = ports or [self.port(name) for name in (self.primary, self.standby)]
        hosts = ",".join(["127.0.0.1"] * len(ports))
        return f"host={hosts} port={','.join(map(str, ports))} {more} target_session_attrs=read-write connect_timeout=3"

    def follow(self):
        """Makes the other one the primary's standby: from nothing, as an operator would after a failover; at its old port."""
        server("kill", self.standby, self.directory, program="postgres")
        shutil.rmtree(self.directory / self.standby / "data", ignore_errors=True)
        server("follow", self.standby, self.directory, self.directory / self.primary, program="postgres")

    def promote(self):
        """The standby becomes the primary. The old one is what it was: dead, stopped or mistaken."""
        self.primary, self.standby = self.standby, self.primary
        server("promote", self.primary, self.directory, program="postgres")

    def start(self):
        server("start", self.primary, self.directory, program="postgres")

    def kill(self):
        server("kill", self.primary, self.directory, program="postgres")

    def signal(self, name, number):
        """To the server and all of its sessions."""
        for process in processes_below(int((self.directory / name / "pid").read_text(encoding="ascii"))):
            os.kill(process, number)

    def stop_in_its_tracks(self):
        self.signal(self.primary, signal.SIGSTOP)

    def wait_synchronous(self, seconds=60):
        """Until commits are waited for by a standby again."""
        def is_followed():
            with psycopg.connect(self.address(), autocommit=True, connect_timeout=5) as session:
                return session.execute("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'").fetchone()[0] == 1
        until("the standby to follow", is_followed, seconds)

    def close(self):
        for name in (self.primary, self.standby):
            server("kill", name, self.directory, program="postgres")


class SmallDisk:
    """A Postgres of its own on a file system in memory that can be filled."""

    SIZE = "512m"

    def __init__(self, directory):
        self.directory, self.name = directory, "postgres-small"
        self.mounted, self.ballast = directory / self.name, directory / self.name / "ballast"
        self.mounted.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.SIZE}", "tmpfs", self.mounted], check=True, capture_output=True)
        self.address = server("start", self.name, directory, program="postgres")

    def fill(self):
        with self.ballast.open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(1 << 16))

    def make_room(self):
        """And waits for the server, which may have ended, or may be trying to recover."""
        self.ballast.unlink()
        until("Postgres to be back", self.is_back, 120)

    def is_back(self):
        process = int((self.mounted / "pid").read_text(encoding="ascii"))
        if not pathlib.Path(f"/proc/{process}").exists():
            server("start", self.name, self.directory, program="postgres")
        try:
            psycopg.connect(self.address, connect_timeout=3).close()
            return True
        except psycopg.OperationalError:
            return False

    def close(self):
        server("kill", self.name, self.directory, program="postgres")
        subprocess.run(["umount", "--lazy", self.mounted], check=True, capture_output=True)


class Servers:
    """All of them, in one directory."""

    def __init__(self, directory):
        self.directory = directory
        self.small_disk = None
        self.cluster, self.pair = at_once([lambda: Cluster(directory), lambda: Pair(directory)])

    def heal(self):
        """Everything runs, and everything is where it should be."""
        self.cluster.start_all()
        self.pair.wait_synchronous()

    def addresses_of(self, scenario):
        """What a World of this scenario works with."""
        postgres = self.pair.address()
        if scenario.needs_small_disk:
            self.small_disk = self.small_disk or SmallDisk(self.directory)
            postgres = self.small_disk.address
        return Addresses(self.directory, self.cluster.address, postgres, None)

    def close(self):
        at_once([self.cluster.close, self.pair.close, *([self.small_disk.close] if self.small_disk else [])])
