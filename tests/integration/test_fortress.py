"""Kafka with TLS, passwords and ACLs, Postgres with verify-full: the worker does its work with what README.md grants it, and says
what is missing."""
import pathlib
import shutil
import sys
import tempfile

import psycopg
import pytest
from confluent_kafka.admin import (AclBinding, AclBindingFilter, AclOperation, AclPermissionType, AdminClient, ResourcePatternType,
                                   ResourceType)

import canaries
from certificates import Authority
from topics import INPUTS, OUTPUTS
from world import Actor, Worker, server, until

USER = "booking-worker"
KAFKA_PASSWORD, POSTGRES_PASSWORD = f"{canaries.WORD}-of-kafka", f"{canaries.WORD}-of-postgres"
# The librdkafka of the Python client: the system's may be too old for SCRAM with Kafka 4 (see README.md).
NEWER_LIBRDKAFKA = "lib/python3*/site-packages/confluent_kafka.libs/librdkafka-*.so*"


@pytest.fixture(scope="module")
def fortress():
    """A Kafka and a Postgres that let nobody in without certificate, password and right; administrators use the plain port."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="booking-fortress."))
    directory.chmod(0o755)
    (directory / "kafka").mkdir()
    try:
        yield Fortress(directory)
    finally:
        for name in ("kafka", "postgres"):
            server("stop", name, directory)
        shutil.rmtree(directory)


class Fortress:
    """The servers, and the files by which a worker gets in."""

    registry = None

    def __init__(self, directory):
        self.directory = directory
        authority = Authority(directory)
        self.trusted, self.distrusted = authority.certificate, Authority(directory, "stranger").certificate
        identity = authority.sign(directory / "kafka" / "server.pem")
        self.kafka_password = self.keep("kafka/password", KAFKA_PASSWORD)
        self.postgres_password = self.keep("postgres-password", POSTGRES_PASSWORD)
        self.wrong_password = self.keep("wrong-password", canaries.WORD)
        server("secure", "kafka", directory)
        self.kafka = server("start", "kafka", directory)
        self.port = (directory / "kafka" / "secure").read_text(encoding="utf-8").strip()
        self.postgres = server("start", "postgres", directory)
        server("secure", "postgres", directory, identity)

    def keep(self, name, secret):
        path = self.directory / name
        path.write_text(secret + "\n", encoding="utf-8")
        return path


def binding(kind, name, operation, pattern=ResourcePatternType.LITERAL):
    return AclBinding(kind, name, pattern, f"User:{USER}", "*", operation, AclPermissionType.ALLOW)


class Town:
    """A world in the fortress, whose worker has exactly the grants of README.md."""

    def __init__(self, world, fortress):
        self.world, self.fortress = world, fortress
        self.admin = AdminClient({"bootstrap.servers": fortress.kafka})
        with psycopg.connect(world.admin_conninfo, autocommit=True) as admin:
            admin.execute(f"ALTER ROLE test_worker PASSWORD '{POSTGRES_PASSWORD}'")
        world.extra = {"kafka": self.kafka(), "postgres": self.postgres()}
        self.topics = {(suffix, "Read"): binding(ResourceType.TOPIC, world.prefix + suffix, AclOperation.READ) for suffix in INPUTS}
        self.topics |= {(suffix, "Write"): binding(ResourceType.TOPIC, world.prefix + suffix, AclOperation.WRITE)
                        for suffix in ("rerouted", *OUTPUTS)}
        self.group = binding(ResourceType.GROUP, world.name, AclOperation.READ)
        self.transactions = binding(ResourceType.TRANSACTIONAL_ID, world.name + "-", AclOperation.WRITE, ResourcePatternType.PREFIXED)
        self.grant(*self.topics.values(), self.group, self.transactions)

    def kafka(self, host="127.0.0.1", password=None, trusted=None, mechanism="PLAIN"):
        return {"bootstrap_servers": f"{host}:{self.fortress.port}", "security_protocol": "sasl_ssl", "sasl_mechanism": mechanism,
                "sasl_username": USER, "sasl_password_file": str(password or self.fortress.kafka_password), "ssl_ca_file": str(trusted or self.fortress.trusted)}

    def postgres(self, host="127.0.0.1", password=None, trusted=None):
        conninfo = self.world.conninfo.replace("127.0.0.1", host)
        return {"conninfo": f"{conninfo} sslmode=verify-full sslrootcert={trusted or self.fortress.trusted}",
                "password_file": str(password or self.fortress.postgres_password)}

    def grant(self, *bindings):
        for future in self.admin.create_acls(list(bindings), request_timeout=30).values():
            future.result(timeout=30)

    def take_away(self, *bindings):
        filters = [AclBindingFilter(acl.restype, acl.name, acl.resource_pattern_type, acl.principal, acl.host, acl.operation,
                                    acl.permission_type) for acl in bindings]
        for future in self.admin.delete_acls(filters, request_timeout=30).values():
            assert len(future.result(timeout=30)) == 1

    def check(self, expect=78, **sections):
        return self.world.command("check", config=self.world.configuration(**sections), expect=expect)

    def wrong(self, **how):
        """What `check` calls wrong."""
        return [line for line in self.check(**how).splitlines() if " WRONG " in line]

    def wrong_once(self, what):
        """The same, once this is: the broker hears of an ACL a moment later."""
        return until(f"check to say: {what}", lambda: (lines := self.wrong(expect=None)) and any(what in line for line in lines) and lines)


@pytest.fixture
def town(make_world, fortress):
    return Town(make_world(on=fortress, partitions=2), fortress)


def stages(reader, order):
    return [record.value["to"] for record in reader.of("stage-changed", order.key)]


def wait_stage(reader, order, stage):
    reader.wait(stage, lambda: stage in stages(reader, order), 60)


def live(town, worker):
    """An order's whole way; then the worker has nothing to hide in its log, which has every line there is."""
    world, reader = town.world, town.world.reader()
    worker.wait_ready()
    order = Actor(world)
    order.place()
    order.provider("ConfirmOrder")
    wait_stage(reader, order, "PAYMENT")
    order.pay()
    wait_stage(reader, order, "EXECUTION")
    order.customer("CancelOrder", reason=canaries.WORD)
    wait_stage(reader, order, "CANCELLED")
    refund = reader.wait("the instruction to refund", lambda: [
        instruction for record in reader.of("payment-instructions", order.key)
        for kind, instruction in [record.value["instruction"]] if kind == "booking.Refund"])[0]
    order.gateway("RefundCompleted", instruction_id=refund["instruction_id"], amount=refund["amount"])
    reader.wait("the refund", lambda: len(stages(reader, order)) == 5)
    world.command("audit")
    assert worker.stop() == 0
    assert canaries.find([worker.log]) == (1, [])


def test_an_order_goes_its_way_with_no_more_than_is_granted(town):
    live(town, town.world.worker(log={"level": "debug"}))


def test_an_order_goes_its_way_with_scram(town):
    (library,) = pathlib.Path(sys.prefix).glob(NEWER_LIBRDKAFKA)
    kafka = {**town.kafka(mechanism="SCRAM-SHA-512"), "transactional_id": f"{town.world.name}-scram"}
    worker = Worker(town.world.directory, "scram", town.world.configuration(kafka=kafka, log={"level": "debug"}))
    town.world.workers.append(worker)
    live(town, worker.start(LD_PRELOAD=str(library)))


def test_check_names_the_grant_that_is_missing(town):
    for (suffix, operation), acl in town.topics.items():
        if suffix == "rerouted":
            continue  # either grant lets it be described: what is missing shows when it is read or written
        town.take_away(acl)
        what = f"{town.world.prefix}{suffix}: not allowed: an ACL {operation}"
        (line,) = town.wrong_once(what)
        assert what in line
        town.grant(acl)
    town.take_away(town.group)
    what = f"group: {town.world.name}: not allowed"
    (line,) = town.wrong_once(what)
    assert what in line and town.wrong() == [line]


@pytest.mark.parametrize("missing, words", (
    (("stage-changed", "Write"), ("stage-changed", "Topic authorization failed")),
    (("rerouted", "Read"), ("rerouted", "Topic authorization failed")),
    (("group", "Read"), ("Group authorization failed",)),
    (("transactions", "Write"), ("ransactional",))))
def test_a_worker_says_what_was_taken_away_and_goes_on_when_it_is_back(town, missing, words):
    world, reader = town.world, town.world.reader()
    worker = world.worker().wait_ready()
    acl = {("group", "Read"): town.group, ("transactions", "Write"): town.transactions, **town.topics}[missing]
    town.take_away(acl)
    order = Actor(world)
    order.place()
    until(f"the log to say {words}", lambda: any(
        all(word in line for word in words) for line in worker.log.read_text(encoding="utf-8").splitlines()), 60)
    until("/readyz to say no", lambda: worker.get("/readyz")[0] == 503)
    town.grant(acl)
    wait_stage(reader, order, "CONFIRMATION")
    assert world.query("SELECT count(*) FROM booking.lanes WHERE halted_at IS NOT NULL") == [(0,)]


def test_who_does_not_get_in_is_told_why(town):
    wrong = town.fortress.wrong_password, town.fortress.distrusted
    for settings, *words in (
            ({"password": wrong[0]}, "uthentication failed"), ({"trusted": wrong[1]}, "certificate"), ({"host": "localhost"}, "is its name in its certificate?")):
        (line,) = town.wrong(kafka=town.kafka(**settings))
        assert line.startswith("kafka ") and all(word in line for word in words), line
    for settings, *words in (
            ({"password": wrong[0]}, "password authentication failed"), ({"trusted": wrong[1]}, "certificate verify failed"),
            ({"host": "localhost"}, "does not match host name")):
        said = town.check(expect=69, postgres=town.postgres(**settings))
        assert all(word in said for word in words), said
