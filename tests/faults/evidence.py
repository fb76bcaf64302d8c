"""Gathers what checker.py needs: rows of Postgres, committed offsets and ends from Kafka."""
import psycopg
from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

import checker
import expect
import offsets
from broker import QUIET
from topics import INPUTS
from world import until

# The worker writes to this one too, in transactions: their control records make its end unreachable for offsets.
REROUTED = "rerouted"


def _w(metadata):
    """W as src/kafka/w.c writes it: w1:NUMBER, and :none where there is no offset yet."""
    parts = (metadata or "").split(":")
    return int(parts[1]) if len(parts) in (2, 3) and parts[0] == "w1" and parts[1].isdigit() else None


def committed(bootstrap, group, prefix, partitions):
    """{(suffix, partition): W} of the consumer group."""
    found = until("the group's offsets", lambda: offsets.fetch(bootstrap, group, [prefix + suffix for suffix in INPUTS], partitions))
    return {(topic[len(prefix):], number): _w(metadata) for (topic, number), (_, metadata) in found.items()}


def ends(bootstrap, prefix, partitions):
    """{(suffix, partition): end} of the inputs that hold nothing but records."""
    admin = AdminClient({"bootstrap.servers": bootstrap, **QUIET})
    places = {TopicPartition(prefix + suffix, number): OffsetSpec.latest() for suffix in INPUTS if suffix != REROUTED
              for number in range(partitions)}
    answers = admin.list_offsets(places, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=30)
    return {(place.topic[len(prefix):], place.partition): answer.result(timeout=30).offset for place, answer in answers.items()}


class Rows:
    """What Postgres has, read in one snapshot."""

    def __init__(self, conninfo):
        with psycopg.connect(conninfo) as session:
            session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            self.batches = [checker.Batch(*row) for row in
                            session.execute("SELECT lane, seq, output_count, data FROM booking.outbox ORDER BY lane, seq")]
            self.outcomes = [checker.Outcome(*row) for row in session.execute(
                "SELECT order_id::text, event_id::text, booking.outcome_name(outcome), sequence FROM booking.order_history "
                "ORDER BY order_id, sequence, recorded_at, line")]
            columns = [suffix.replace("-", "_") for suffix in INPUTS]
            self.lanes = [checker.Lane(row[0], row[1], dict(zip(INPUTS, row[3:])), row[2]) for row in session.execute(
                f"SELECT lane, seq, halt_reason, {', '.join(columns)} FROM booking.lanes WHERE epoch > 0")]


def check(world, sent, witnesses, is_at_rest=True):
    """All of the promise for one world (tests/integration/world.py). `sent`: event ids; `witnesses`: of the output topics."""
    rows, found = Rows(world.admin_conninfo), checker.Findings()
    found.extend(checker.check_outcomes(sent, rows.outcomes))
    for witness in witnesses:
        found.extend(checker.check_log(rows.batches, witness.log))
        found.extend(checker.check_sequences(witness.sequences))
    if is_at_rest:
        bootstrap, group = world.servers.kafka, world.name
        found.extend(checker.check_rest(rows.lanes, committed(bootstrap, group, world.prefix, world.partitions),
                                        ends(bootstrap, world.prefix, world.partitions)))
    return found


def check_stages(world, stages):
    """Each order stands where its life ends, and no money is missing. `stages`: {order: stage}."""
    found, rows = checker.Findings(), dict(world.query("SELECT order_id::text, stage FROM booking.order_overview"))
    for order, stage in stages.items():
        if rows.get(order) != stage:
            found.add(checker.LOST, f"order {order} is in {rows.get(order)}, not {stage}")
    if len(rows) != len(stages):
        found.add(checker.STRANGE, f"{len(rows)} orders exist, not {len(stages)}")
    try:
        expect.check_money(world)
    except AssertionError as error:
        found.add(checker.STRANGE, str(error))
    return found
