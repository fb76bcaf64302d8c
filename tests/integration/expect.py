"""What must have come out: compared with what a read_committed consumer saw and with what Postgres has."""
import collections

import load


def check_outputs(reader, orders):
    """Every expected output exactly once, nothing else, in order per order."""
    seen_ids = collections.Counter(record.value["event_id"] for record in reader.records if record.value is not None)
    repeated = [event_id for event_id, count in seen_ids.items() if count > 1]
    assert not repeated, f"{len(repeated)} outputs were seen more than once, as {repeated[:3]}"
    known = {order.key for order in orders}
    strangers = [record for record in reader.records if record.value is not None and record.key not in known]
    assert not strangers, f"{len(strangers)} outputs of orders that nobody placed"
    wrong = []
    for order in orders:
        records = reader.by_order.get(order.key, [])
        found = collections.Counter((record.suffix, load.kind_of(record)) for record in records if record.value is not None)
        if found != order.expected:
            wrong.append(f"{order.kind} order {order.key}: missing {dict(order.expected - found)}, too many {dict(found - order.expected)}")
        changes = [record.value for record in records if record.suffix == load.CHANGED]
        if [value["sequence"] for value in changes] != list(range(1, len(changes) + 1)):
            wrong.append(f"{order.key}: sequences {[value['sequence'] for value in changes]}")
        if [value["to"] for value in changes] != order.stages:
            wrong.append(f"{order.key}: stages {[value['to'] for value in changes]}, not {order.stages}")
        for suffix in (load.TO_CUSTOMER, load.TO_PROVIDER, load.MONEY, load.REJECTIONS):
            sequences = [record.value["sequence"] for record in records if record.suffix == suffix]
            if sequences != sorted(sequences):
                wrong.append(f"{order.key}: {suffix} came in the order {sequences}")
    assert not wrong, f"{len(wrong)} of {len(orders)} orders are wrong:\n" + "\n".join(wrong[:5])


def check_rows(world, orders):
    """The rows stand where the lives end, and the history has every event once."""
    stages = dict(world.query("SELECT order_id::text, stage FROM booking.order_overview"))
    wrong = [order.key for order in orders if stages.get(order.key) != order.stages[-1]]
    assert not wrong, f"{len(wrong)} orders are not in their last stage, as {wrong[:3]}"
    assert len(stages) == len(orders)
    ((count, distinct),) = world.query("SELECT count(*), count(DISTINCT (order_id, event_id)) FROM booking.order_history "
                                       "WHERE event_id IS NOT NULL AND outcome IN (0, 1)")
    events = sum(len(order.events) for order in orders)
    assert (count, distinct) == (events, events), f"{count} outcomes of {distinct} events, expected {events}"
    check_money(world)


def check_money(world):
    """Rule M2 over the whole database."""
    ((bad,),) = world.query("SELECT count(*) FROM booking.orders WHERE refund_instructed_minor + payout_instructed_minor > "
                            "captured_minor - reversed_minor OR (stage IN (5, 6) AND NOT payout_held AND reversed_minor = 0 AND "
                            "refund_instructed_minor + payout_instructed_minor <> captured_minor)")
    assert bad == 0, f"the ledger of {bad} orders does not balance"


def wait_for_outputs(reader, orders, seconds):
    """Until as many outputs have come as are expected (or the time is over: check_outputs then says what is missing)."""
    expected = sum(sum(order.expected.values()) for order in orders)
    reader.wait(f"{expected} outputs", lambda: sum(1 for record in reader.records if record.value is not None) >= expected, seconds)


def finish(reader, orders, seconds=120):
    """Waits for all that is expected, then looks at everything that was committed."""
    try:
        wait_for_outputs(reader, orders, seconds)
    finally:
        reader.read_to_the_end()
        check_outputs(reader, orders)
