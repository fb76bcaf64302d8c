"""A database that a worker has filled with all kinds of lives, and copies of it that a test may spoil: for the tests of `audit`.
The lives are made once for a file of tests; what a test has spoilt is put back after it."""
import json
import subprocess

import load
import psycopg
import pytest

from wire import new_id
from world import PROGRAM, Actor, World, environment, until

ORDERS = 160
KINDS = ("plain", "edited", "refunded", "refused", "paid_out", "placed", "to_pay", "paid", "done", "claimed")
TABLES = ("lanes", "migrations", "order_history", "orders", "outbox", "refused_placements")


def odd_things(world):
    """What is not an ordinary life: each leaves its own kind of trace. Returns how many events that were."""
    actors = [Actor(world, market=market) for market in (*[None] * 6, "attentive", "impatient", "impatient")]
    repeated, foreign, refused, never, nobody, strayed, reminded, impatient, silent = actors
    event_id = repeated.place()
    repeated.customer("CancelOrder", reason="never mind", event_id=event_id)  # a duplicate, whatever it says
    repeated.provider("ConfirmOrder")
    repeated.pay(payment_id="pay-twice")
    repeated.pay(payment_id="pay-twice")
    repeated.pay(minor=100, payment_id="pay-twice")  # a conflict: an alert
    repeated.pay(minor=500, payment_id="too-much")  # goes back at once
    repeated.gateway("RefundCompleted", instruction_id=new_id())  # none of ours
    foreign.place()
    foreign.gateway("PaymentCaptured", gateway="bank", payment_id="yen", amount={"amount_minor": 900, "currency": "JPY"})
    refused.place(zone="Europe/Atlantis")
    refused.place(price=refused.money(0))
    until("refusals to be remembered", lambda: world.query("SELECT count(*) FROM booking.order_history WHERE outcome = 1 AND from_stage = 0") == [(2,)])
    refused.place()
    never.place(zone="Europe/Atlantis")
    nobody.provider("ConfirmOrder")
    nobody.pay(payment_id="lost")
    world.upstream.send("customer-actions", repeated.key, b"no Avro at all")
    for partition in range(world.partitions):  # at least all but one of them are wrong
        strayed.place(partition=partition, headers=[("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")])
    reminded.place()
    impatient.place()
    silent.place()
    silent.provider("ConfirmOrder")
    world.upstream.flush()
    until("the impatient market's deadlines to pass", lambda: world.query(
        "SELECT count(*) FROM booking.orders WHERE market = 'impatient' AND stage = 6") == [(2,)], 60)
    return sum(len(actor.sent) for actor in actors) + 1


@pytest.fixture(scope="module")
def healthy(servers, tmp_path_factory):
    """A world after the worker has left it."""
    world = World(tmp_path_factory.mktemp("audit"), servers, policy=load.POLICY)
    orders = load.make_orders(ORDERS, KINDS, people=5)
    load.play(world.upstream, orders, wave=50)
    # Only now, and with small batches: so each lane has many of them, with many events in most, however fast or slow the machine is.
    worker = world.worker(worker={"batch_events": 20}, policies={
        "impatient": {"confirm": "5s", "confirm_same_day": "5s", "payment": "5s", "settlement_grace": "1s", "arrival_grace": "0s"},
        "attentive": {"reminder_before": "86399s", "arrival_grace": "0s"}}).wait_ready()
    events = sum(len(order.events) for order in orders) + odd_things(world)
    until("all to be written, and the reminder", lambda: world.query(
        "SELECT count(topic), count(*) FILTER (WHERE outcome = 4) FROM booking.order_history") == [(events, 1)], 60)
    assert worker.stop() == 0
    yield world
    world.close()


class Copy:
    """The world's database, which a test may spoil: every table as the worker left it is kept beside, and comes back."""

    def __init__(self, world):
        self.world, self.name = world, world.name
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as admin:
            admin.execute("CREATE SCHEMA IF NOT EXISTS good")
            for table in TABLES:
                admin.execute(f"CREATE TABLE IF NOT EXISTS good.{table} AS TABLE booking.{table}")

    def restore(self):
        with psycopg.connect(self.conninfo("postgres")) as admin:
            for table in TABLES:
                admin.execute(f"DELETE FROM booking.{table}")
                admin.execute(f"INSERT INTO booking.{table} SELECT * FROM good.{table}")
            admin.execute("DELETE FROM booking.lane_decisions")  # nobody has had to decide anything

    def conninfo(self, user="test_worker"):
        return self.world.servers.postgres.replace("dbname=postgres", f"dbname={self.name}").replace("user=postgres", f"user={user}")

    def spoil(self, text, *values, rows=1):
        """As a superuser; the statement has to hit `rows` rows, or the test would prove nothing."""
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as admin:
            assert admin.execute(text, values).rowcount == rows

    def ask(self, text, *values):
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as admin:
            return admin.execute(text, values).fetchall()

    def audit(self, *words, expect=1, stdin=None):
        """What it found: [(id, the rest)]. The worker's own login is enough."""
        path = self.world.directory / f"{self.name}.yaml"
        path.write_text(json.dumps(self.world.configuration(postgres={"conninfo": self.conninfo()})), encoding="utf-8")
        done = subprocess.run([PROGRAM, "audit", "--config", path, *words], input=stdin, capture_output=True, text=True,
                              timeout=120, env=environment(), check=False)
        assert done.returncode == expect, f"audit ended with {done.returncode}: {done.stdout}{done.stderr}"
        self.said = done.stderr
        return [tuple(line.split(" ", 1)) for line in done.stdout.splitlines()]

    def found(self, *words):
        """The ids of what it found."""
        return [name for name, _ in self.audit(*words)]


@pytest.fixture
def copy(healthy):
    spoilt = Copy(healthy)
    yield spoilt
    spoilt.restore()


def some_order(copy, stage=5):
    return copy.ask("SELECT order_id FROM booking.orders WHERE stage = %s ORDER BY order_id LIMIT 1", stage)[0][0]


def some_batch(copy):
    """The fullest one in the middle of its lane in which some order got to sequence 2, and that order."""
    return copy.ask("SELECT h.lane, h.lane_seq, (array_agg(h.order_id) FILTER (WHERE h.outcome = 0 AND h.sequence = 2))[1] "
                    "FROM booking.order_history h JOIN booking.lanes l USING (lane) WHERE h.lane_seq > 1 AND h.lane_seq < l.seq - 2 "
                    "GROUP BY 1, 2 HAVING bool_or(h.outcome = 0 AND h.sequence = 2) ORDER BY count(*) DESC, 1, 2 LIMIT 1")[0]
