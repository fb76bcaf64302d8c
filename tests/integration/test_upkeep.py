"""What deploy/runbook/upkeep.md tells people to do to the database, done as it stands there."""
import contextlib
import pathlib
import re
import threading

import load
import psycopg
import pytest

from expect import check_rows, finish
from world import Actor, until

PAGE = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "runbook" / "upkeep.md"


def statements():
    """The page's SQL, block by block."""
    return [re.sub(r"^ {3}", "", block, flags=re.MULTILINE)
            for block in re.findall(r"^ *```sql\n(.*?)^ *```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)]


@pytest.fixture
def owner(world):
    with psycopg.connect(world.admin_conninfo, autocommit=True) as admin:
        yield admin


def let_pass(owner, days):
    """As if all that Postgres has had been written so long ago, in the partitions of then."""
    for table in ("order_history", "outbox"):
        owner.execute(f"UPDATE booking.{table} SET recorded_at = recorded_at - make_interval(days => %s)", (days,))
    owner.execute("UPDATE booking.orders SET updated_at = updated_at - make_interval(days => %s)", (days,))
    owner.execute("UPDATE booking.migrations SET applied_at = applied_at - make_interval(days => %s)", (days,))
    owner.execute("SELECT booking.make_partition('outbox', date_trunc('day', min(recorded_at)), date_trunc('day', max(recorded_at)) + interval '1 day') "
                  "FROM booking.outbox")


def test_the_outbox_is_dropped_and_an_order_of_long_ago_erased_without_a_trace(world, owner):
    drop, erase = statements()
    gone, running = Actor(world), Actor(world)
    worker = world.worker(worker={"idle_tick": "300ms"}).wait_ready()
    for order in (gone, running):
        order.place()
    gone.customer("CancelOrder", reason="ill")
    until("the outcome", lambda: world.query("SELECT 1 FROM booking.order_overview WHERE stage = 'CANCELLED'"))
    until("an idle tick", lambda: world.query("SELECT count(*) FROM booking.lanes WHERE w_seen < seq") == [(0,)])
    assert worker.stop() == 0
    owner.execute(erase.replace("…", gone.key))
    assert world.query("SELECT count(*) FROM booking.orders") == [(2,)], "it is not long over"

    let_pass(owner, 61)
    owner.execute(drop)
    assert world.query("SELECT count(*) FROM booking.outbox") == [(0,)]
    for order in (gone, running):
        owner.execute(erase.replace("…", order.key))
    assert world.query("SELECT order_id::text FROM booking.orders") == [(running.key,)], "the other one is not over"
    assert set(world.query("SELECT order_id::text FROM booking.order_history")) == {(running.key,)}
    world.command("audit")
    world.command("show", gone.key, expect=1)

    reader = world.reader()
    world.worker("second").wait_ready()
    gone.pay()
    running.provider("ConfirmOrder")
    reader.wait("the alert", lambda: reader.of("operator-alerts", gone.key))
    reader.wait("the dead letter", lambda: reader.of("dead-letters", gone.key))
    reader.wait("the other order to go on", lambda: len(reader.of("stage-changed", running.key)) == 2)
    assert world.query("SELECT count(*) FROM booking.lanes WHERE halted_at IS NOT NULL") == [(0,)]


def test_partitions_come_and_go_while_workers_write(make_world):
    world = make_world(policy=load.POLICY)
    orders, reader = load.make_orders(600, load.MIXED), world.reader()
    worker = world.worker(kafka={"session_timeout": "30s"}).wait_ready()  # else a slow machine's group may take its lanes away, too
    drop = statements()[0]
    writer = threading.Thread(target=load.play, args=(world.upstream, orders), kwargs={"wave": 50})
    writer.start()
    dropped = 0
    with psycopg.connect(world.admin_conninfo, autocommit=True) as admin:
        admin.execute("SET ROLE booking_owner")
        while writer.is_alive() or dropped < 3:
            with contextlib.suppress(psycopg.errors.LockNotAvailable):  # the page says: repeat it
                for table in ("outbox", "order_history"):
                    admin.execute("SELECT booking.make_partition(%s, '2010-01-04Z', '2010-01-11Z')", (table,))
                admin.execute(drop)
                dropped += 1
    writer.join()
    finish(reader, orders)
    check_rows(world, orders)
    assert worker.metric("booking_lane_takeovers_total") == world.partitions, "no connection was given up for it"


def test_a_migration_under_a_running_worker_halts_nothing_and_the_next_build_goes_on(world, owner):
    """deploy/runbook/upgrade.md. There is no newer build: the next one is ours, on the schema as it was."""
    reader, order = world.reader(), Actor(world)
    worker = world.worker().wait_ready()
    order.place()
    reader.wait("the placement", lambda: reader.of("stage-changed"))
    owner.execute("ALTER TYPE booking.history_line ADD ATTRIBUTE of_the_future integer; "
                  "INSERT INTO booking.migrations VALUES (900, '0900_of_the_future.sql', 'x')")
    order.provider("ConfirmOrder")
    until("the old build to stand still", lambda: "run a newer booking-worker" in worker.get("/readyz?verbose")[1])
    assert world.query("SELECT count(*) FROM booking.lanes WHERE halted_at IS NOT NULL") == [(0,)]
    assert worker.get("/livez")[0] == 200
    assert "run a newer booking-worker" in world.command("check", expect=78)
    worker.stop(12)

    owner.execute("ALTER TYPE booking.history_line DROP ATTRIBUTE of_the_future; DELETE FROM booking.migrations WHERE version = 900")
    world.worker("next").wait_ready()
    reader.wait("the confirmation", lambda: [record.value["to"] for record in reader.of("stage-changed")] == ["CONFIRMATION", "PAYMENT"])
