"""The world around the worker fails for a while, or is set up wrongly; the worker says so and loses nothing."""
import re
import threading
import time

import load
import psycopg
from expect import check_rows, finish
from world import Actor, server, until


def is_not_ready(worker):
    status, text = worker.get("/readyz?verbose")
    assert status in (200, 503), f"/readyz?verbose says {status}: {text}"
    return status == 503


def test_postgres_away_for_a_while_loses_nothing(own_postgres, make_world):
    world = make_world(on=own_postgres, policy=load.POLICY)
    orders, reader = load.make_orders(1000, load.MIXED), world.reader()
    worker = world.worker().wait_ready()
    half = len(orders) // 2
    load.play(world.upstream, orders[:half], wave=100)
    server("kill", "postgres", own_postgres.directory)
    try:
        until("the worker not to be ready", lambda: is_not_ready(worker))
        load.play(world.upstream, orders[half:], wave=100)
        assert worker.get("/livez")[0] == 200
    finally:
        server("start", "postgres", own_postgres.directory)
    worker.wait_ready()
    finish(reader, orders)
    check_rows(world, orders)
    assert worker.stop() == 0


def test_kafka_away_for_a_while_loses_nothing(own_kafka, make_world):
    world = make_world(on=own_kafka, policy=load.POLICY)
    orders = load.make_orders(1000, load.MIXED)
    worker = world.worker().wait_ready()
    load.play(world.upstream, orders, wave=100)
    server("kill", "kafka", own_kafka.directory)
    try:
        until("the worker not to be ready", lambda: is_not_ready(worker))
        assert worker.get("/livez")[0] == 200
    finally:
        server("start", "kafka", own_kafka.directory)
    worker.wait_ready(120)
    finish(world.reader(), orders)
    check_rows(world, orders)
    assert worker.stop() == 0


def test_unequal_partition_counts_are_refused_in_plain_words(make_world):
    world = make_world(topics={"unequal": {"provider-actions": 3}})
    worker = world.worker()
    text = until("a reason on /readyz", lambda: next(
        (text for status, text in [worker.get("/readyz?verbose")] if status == 503 and "provider-actions" in text), None))
    assert "3" in text and "4" in text, text
    assert worker.is_running()
    said = world.command("check", expect=78)
    assert "provider-actions" in said and "partition" in said
    assert worker.stop() == 0


def test_sigterm_finishes_what_was_begun_and_leaves_in_time(make_world):
    world = make_world(policy=load.POLICY)
    orders, reader = load.make_orders(2000, load.MIXED), world.reader()
    worker = world.worker(worker={"shutdown": "10s", "batch_events": 100}).wait_ready()
    # In small waves, so that they still come when the worker is told to leave, however fast it is.
    upstream = threading.Thread(target=load.play, args=(world.upstream, orders), kwargs={"wave": 20})
    upstream.start()
    try:
        reader.wait("the first outputs", lambda: reader.records)
        began = time.monotonic()
        assert worker.stop(12) == 0
        assert time.monotonic() - began < 10
    finally:
        upstream.join()
    # What Postgres was told, Kafka has too: nothing waits for the next worker to emit it.
    reader.read_to_the_end()
    emitted = len(reader.of("stage-changed"))
    assert 0 < emitted < sum(len(order.stages) for order in orders), "it was to be stopped in the middle"
    ((applied,),) = world.query("SELECT count(*) FROM booking.order_timeline WHERE outcome = 'applied'")
    assert emitted == applied
    worker.start()
    finish(reader, orders)
    check_rows(world, orders)


def test_an_impossible_configuration_exits_78_with_key_and_line(world):
    config = world.configuration(worker={"batch_events": "many"})
    said = world.command("check", config=config, expect=78)
    lines = (world.directory / "command.yaml").read_text(encoding="utf-8").splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "batch_events" in text)
    assert f"command.yaml:{line}: worker.batch_events" in said and "10000" in said
    said = world.command("run", config=world.configuration(kafka={"grup_id": "x"}), expect=78)
    assert "grup_id" in said and "group_id" in said


def test_check_says_what_cannot_be_reached(world):
    said = world.command("check", expect=0)
    assert "Kafka" in said or "kafka" in said
    said = world.command("check", config=world.configuration(postgres={"conninfo": "host=127.0.0.1 port=1 user=nobody dbname=x"}),
                         expect=69)
    assert "ostgres" in said


def test_a_lane_goes_on_at_its_place_after_a_clean_restart(world):
    reader, order = world.reader(), Actor(world)
    worker = world.worker().wait_ready()
    order.place()
    reader.wait("the placement", lambda: reader.of("stage-changed", order.key))
    assert worker.stop() == 0
    order.provider("ConfirmOrder")
    worker.start()
    reader.wait("the confirmation", lambda: len(reader.of("stage-changed", order.key)) == 2)
    reader.read_to_the_end()
    assert [record.value["sequence"] for record in reader.of("stage-changed", order.key)] == [1, 2]


def test_check_tells_when_partitions_end_soon_and_a_migration_makes_more(world):
    assert re.search(r"partitions +ok +the outbox's reach until \S+, the history's until \S+\n", world.command("check"))
    with psycopg.connect(world.admin_conninfo, autocommit=True) as admin:
        late = admin.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'booking.outbox'::regclass "
                             "AND booking.partition_end(inhrelid) > now() + interval '3 weeks'").fetchall()
        for (name,) in late:
            admin.execute(f"DROP TABLE {name}")
    assert re.search(r"partitions +look .*booking-worker migrate", world.command("check"))
    said = world.command("migrate", config=world.configuration(postgres={"conninfo": world.admin_conninfo}))
    assert f"{len(late)} partitions made" in said and "of the outbox reach until" in said
    assert re.search(r"partitions +ok ", world.command("check"))
