"""What must have come out: compared with what a read_committed consumer saw and with what Postgres has."""
import collections

import evidence
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
    """Every event has one outcome, the orders stand where their lives end, what the readers saw is what the outbox holds, and
    nothing is left to do: tests/faults/checker.py. Then the audit: every life replayed, every output compared."""
    sent = [event.event_id for order in orders for event in order.events]
    found = evidence.check(world, sent, [evidence.log_of(reader) for reader in world.readers])
    found.extend(evidence.check_stages(world, {order.key: order.stages[-1] for order in orders}))
    assert not found, str(found)
    world.command("audit")


def check_money(world):
    """Rule M2 over the whole database."""
    ((bad,),) = world.query(evidence.UNBALANCED)
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
