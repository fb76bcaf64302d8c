"""Gathers what checker.py needs: rows of Postgres, committed offsets and ends from Kafka."""
import time

import psycopg
from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

import checker
import offsets
from broker import QUIET
from topics import INPUTS
from world import until

# Rule M2 over the whole database.
UNBALANCED = """SELECT count(*) FROM booking.orders WHERE refund_instructed_minor + payout_instructed_minor > captured_minor - reversed_minor
    OR (stage IN (5, 6) AND NOT payout_held AND reversed_minor = 0 AND refund_instructed_minor + payout_instructed_minor <> captured_minor)"""
# Offsets become visible a little later than the records of their transaction.
REST_WITHIN_S = 10
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


def check_rest(world):
    """Nothing is left to do for this world's workers (tests/integration/world.py)."""
    bootstrap, limit = world.servers.kafka, time.monotonic() + REST_WITHIN_S
    while True:
        found = checker.check_rest(Rows(world.admin_conninfo).lanes, committed(bootstrap, world.name, world.prefix, world.partitions),
                                   ends(bootstrap, world.prefix, world.partitions))
        if not found or time.monotonic() > limit:
            return found
        time.sleep(0.2)


def check(world, sent, logs):
    """All of the promise for a world at rest. `sent`: event ids; `logs`: what readers of the output topics saw."""
    rows, found = Rows(world.admin_conninfo), checker.Findings()
    found.extend(checker.check_outcomes(sent, rows.outcomes))
    for log in logs:
        found.extend(checker.check_log(rows.batches, log))
    found.extend(check_rest(world))
    return found


def log_of(reader):
    """What a Reader (deploy/lib/broker.py) saw, as the checker wants it."""
    log = {(place.topic[len(reader.prefix):], place.partition): [] for place in reader.partitions}
    for record in reader.records:
        event_id = record.headers.get("ce_id")
        log[record.suffix, record.partition].append(
            checker.Mark(record.key, bytes.fromhex(event_id.replace("-", "")) if event_id else None, hash(record.raw)))
    return log


def check_stages(world, stages):
    """Each order stands where its life ends, and no money is missing. `stages`: {order: stage}."""
    found, rows = checker.Findings(), dict(world.query("SELECT order_id::text, stage FROM booking.order_overview"))
    for order, stage in stages.items():
        if rows.get(order) != stage:
            found.add(checker.LOST, f"order {order} is in {rows.get(order)}, not {stage}")
    if len(rows) != len(stages):
        found.add(checker.STRANGE, f"{len(rows)} orders exist, not {len(stages)}")
    ((bad,),) = world.query(UNBALANCED)
    if bad:
        found.add(checker.STRANGE, f"the ledger of {bad} orders does not balance")
    return found
