"""What one integration test works in: topics, a consumer group and a database of its own on the shared servers, workers as
real processes, and other services' clients around them."""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid

import psycopg

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lib"))

import canaries  # noqa: E402
from broker import Reader, Upstream  # noqa: E402
from ports import free_port  # noqa: E402
from topics import create_topics, delete_topics  # noqa: E402
from wire import load_schemas, new_id  # noqa: E402

PROGRAM = pathlib.Path(os.environ.get("BOOKING_TEST_PROGRAM", ROOT / "build" / "release" / "booking-worker"))
LIBRARY = ROOT / "deploy" / "lib"
SCHEMAS = load_schemas()


def server(verb, name, directory, *more, program=None):
    """start, stop or kill one of deploy/lib's servers (`program`, where its directory is called otherwise); returns its
    address."""
    done = subprocess.run([LIBRARY / (program or name), verb, directory / name, *more], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, f"{name} {verb}: {done.stderr}"
    return done.stdout.strip()


def until(what, condition, seconds=30):
    """Polls a condition of the world outside; returns what it gave."""
    limit = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > limit:
            raise AssertionError(f"gave up after {seconds} s waiting for {what}")
        time.sleep(0.02)


def environment():
    """Ours without the tests' own variables."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BOOKING_")}


class Worker:
    """A booking-worker process with a configuration file of its own."""

    def __init__(self, directory, name, config):
        self.name, self.port = name, config["http"]["port"]
        self.config = directory / f"{name}.yaml"
        self.config.write_text(json.dumps(config, indent=2), encoding="utf-8")  # JSON is YAML too
        self.log = directory / f"{name}.log"
        self.process = None

    def start(self, *around, **variables):
        """`around`: a program that starts it, with arguments; `variables`: of its environment."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([*around, PROGRAM, "run", "--config", self.config], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env={**environment(), **variables})
        return self

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def stop(self, seconds=30):
        """SIGTERM; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def get(self, path):
        """(status, text), or (0, reason) when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def is_ready(self):
        assert self.is_running(), f"{self.name} has ended with {self.process.returncode}:\n{self.tail()}"
        return self.get("/readyz")[0] == 200

    def wait_started(self, seconds=30):
        """Until its probes answer, or it has ended."""
        until(f"{self.name} to start", lambda: not self.is_running() or self.get("/livez")[0] == 200, seconds)
        return self

    def wait_ready(self, seconds=60):
        try:
            until(f"{self.name} to be ready", self.is_ready, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.get('/readyz?verbose')[1]}\n{self.tail()}") from None
        return self

    def keep_pages(self):
        """What it shows by HTTP goes beside its log, to be looked through for what must not be there (canaries.py)."""
        for path in ("/", "/readyz?verbose", "/metrics"):
            status, text = self.get(path)
            if status == 0:
                return
            with self.log.with_suffix(".pages.log").open("a", encoding="utf-8") as pages:
                pages.write(text)

    def metric(self, name, **labels):
        """The sum of a metric's samples that carry these labels."""
        total = 0.0
        for line in self.get("/metrics")[1].splitlines():
            if line.startswith(name) and line[len(name)] in " {" and all(f'{key}="{value}"' in line for key, value in labels.items()):
                total += float(line.rsplit(" ", 1)[1])
        return total

    def tail(self):
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:] if self.log.exists() else "(no log)"


class World:
    """One test's own corner of the shared servers."""

    def __init__(self, directory, servers, partitions=4, policy=None, topics=None):
        self.directory, self.servers = directory, servers
        self.name = "t" + uuid.uuid4().hex[:10]
        self.prefix = self.name + "."
        self.partitions = partitions
        self.policy = policy or {}
        self.extra = {}  # sections of every configuration from now on
        self.workers, self.readers = [], []
        create_topics(servers.kafka, self.prefix, partitions, **(topics or {}))
        with psycopg.connect(servers.postgres, autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{self.name}"')
        self.admin_conninfo = servers.postgres.replace("dbname=postgres", f"dbname={self.name}")
        self.command("migrate", config=self.configuration(postgres={"conninfo": self.admin_conninfo}))
        with psycopg.connect(self.admin_conninfo, autocommit=True) as admin:
            with contextlib.suppress(psycopg.errors.DuplicateObject):
                admin.execute("CREATE ROLE test_worker LOGIN IN ROLE booking_worker")
        self.upstream = Upstream(servers.kafka, self.prefix)

    @property
    def conninfo(self):
        """What the worker uses: a login without the right to create anything."""
        return self.admin_conninfo.replace("user=postgres", "user=test_worker")

    def configuration(self, **sections):
        config = {
            "kafka": {"bootstrap_servers": self.servers.kafka, "group_id": self.name, "topic_prefix": self.prefix,
                      "session_timeout": "3s"},
            "postgres": {"conninfo": self.conninfo},
            "worker": {},
            "http": {"listen": "127.0.0.1", "port": free_port()},
            "log": {"level": "info"},
            "policies": {"default": self.policy} if self.policy else {},
        }
        for section, keys in [*self.extra.items(), *sections.items()]:
            config[section] = {**config.get(section, {}), **keys}
        return {section: keys for section, keys in config.items() if keys}

    def command(self, *words, config=None, expect=0, seconds=60):
        """Runs one of the program's commands; returns what it said. `expect`: how it has to end; None = in whatever way."""
        path = self.directory / "command.yaml"
        path.write_text(json.dumps(config or self.configuration(), indent=2), encoding="utf-8")
        done = subprocess.run([PROGRAM, words[0], "--config", path, *words[1:]], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=seconds, env=environment(), check=False)
        assert expect in (None, done.returncode), f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def worker(self, name="worker", **sections):
        kafka = {"transactional_id": f"{self.name}-{name}", **sections.pop("kafka", {})}
        worker = Worker(self.directory, name, self.configuration(kafka=kafka, **sections))
        self.workers.append(worker)
        return worker.start()

    def reader(self, **settings):
        decode = settings.pop("decode", lambda suffix, data: SCHEMAS[suffix].decode(data))
        reader = Reader(self.servers.kafka, self.prefix, decode, **settings)
        self.readers.append(reader)
        return reader

    def query(self, text, *values):
        with psycopg.connect(self.admin_conninfo, autocommit=True) as admin:
            return admin.execute(text, values).fetchall()

    def close(self):
        for worker in self.workers:
            if worker.is_running():
                worker.keep_pages()
                worker.kill()
        for reader in self.readers:
            reader.close()
        self.upstream = None
        # Topics that stay cost the shared broker memory, and time when it starts again.
        delete_topics(self.servers.kafka, self.prefix)

    def drop(self):
        """The database too: where many worlds follow each other on the same servers."""
        with psycopg.connect(self.servers.postgres, autocommit=True) as admin:
            admin.execute(f'DROP DATABASE "{self.name}" WITH (FORCE)')


class Actor:
    """An order and the people around it: sends their actions now, as their services would."""

    def __init__(self, world, price=8000, currency="EUR", start_ms=None, length_ms=3_600_000, key=None, market=None):
        self.world, self.key = world, key or new_id()
        self.start_ms = start_ms if start_ms is not None else int(time.time() * 1000) + 3 * 86_400_000
        self.end_ms = self.start_ms + length_ms
        self.price, self.currency, self.market = price, currency, market
        self.sent = []  # ids of its events

    def encode(self, suffix, action, at_ms=None, event_id=None, party=None, **fields):
        actor = {"customer-actions": "customer_id", "provider-actions": "provider_id", "operator-actions": "operator_id"}.get(suffix)
        value = {"event_id": event_id or new_id(), "order_id": self.key, "occurred_at": at_ms or int(time.time() * 1000),
                 "action": ("booking." + action, fields)}
        if actor:
            value[actor] = party or actor.removesuffix("_id") + "-1"
        return value["event_id"], SCHEMAS[suffix].encode(value)

    def send(self, suffix, action, headers=None, partition=None, **fields):
        """Produces it and waits until the broker has it; returns the event's id."""
        event_id, data = self.encode(suffix, action, **fields)
        self.world.upstream.send(suffix, self.key, data, headers, partition)
        self.world.upstream.flush()
        self.sent.append(event_id)
        # The next action is later by the broker's clock: two of the same millisecond would be ordered by rule T8's ranks.
        flushed_ms = int(time.time() * 1000)
        until("the next millisecond", lambda: int(time.time() * 1000) > flushed_ms)
        return event_id

    def place(self, **fields):
        return self.send("customer-actions", "PlaceOrder", **{
            "customer_id": "customer-1", "provider_id": "provider-1", "start": self.start_ms, "end": self.end_ms, "market": self.market,
            "zone": "Europe/Berlin", "price": self.money(self.price), "comment": f"about a {canaries.WORD}", **fields})

    def customer(self, action, **fields):
        return self.send("customer-actions", action, **fields)

    def provider(self, action, **fields):
        return self.send("provider-actions", action, **fields)

    def operator(self, action, **fields):
        return self.send("operator-actions", action, **fields)

    def gateway(self, action, **fields):
        return self.send("gateway-callbacks", action, **fields)

    def pay(self, minor=None, payment_id=None, **fields):
        return self.gateway("PaymentCaptured", gateway="bank", payment_id=payment_id or new_id()[:8],
                            amount=self.money(self.price if minor is None else minor), **fields)

    def money(self, minor):
        return {"amount_minor": minor, "currency": self.currency}
