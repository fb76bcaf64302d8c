"""`audit`: finds nothing where a real worker has done all kinds of things, and each of the ways in which somebody or something
could have changed the database behind the worker's back. The lives are made once; each test spoils what they left, and puts
it back."""
import concurrent.futures
import csv
import datetime
import io
import json
import threading
import uuid

import load
import psycopg
import pytest

from spoilt import ORDERS, copy, healthy, some_batch, some_order  # noqa: F401  # fixtures
from world import until


def test_nothing_is_found_where_only_the_worker_has_written(copy):
    assert copy.audit(expect=0) == []
    orders = copy.ask("SELECT count(*) FROM booking.orders")[0][0]
    assert orders > ORDERS and f"{orders} orders ({orders} replayed)" in copy.said
    assert "not compared" not in copy.said and "not replayable" not in copy.said
    # All that it has to understand was there.
    kinds = copy.ask("SELECT outcome, count(*) FROM booking.order_history GROUP BY 1 ORDER BY 1")
    assert [outcome for outcome, _ in kinds] == [0, 1, 2, 3, 4]
    assert copy.ask("SELECT count(*) FROM booking.refused_placements")[0][0] == 2
    assert copy.ask("SELECT count(*) FROM booking.order_history WHERE topic = 4")[0][0] > 0


def test_nothing_is_found_while_workers_write(make_world):
    world = make_world(policy=load.POLICY)
    world.worker().wait_ready()
    orders = load.make_orders(800, load.MIXED, seed=5)
    writer = threading.Thread(target=load.play, args=(world.upstream, orders), kwargs={"wave": 100})
    writer.start()
    audits = 0
    while writer.is_alive() or audits < 2:
        world.command("audit")
        audits += 1
    writer.join()
    events = sum(len(order.events) for order in orders)
    until("all to be written", lambda: world.query("SELECT count(*) FROM booking.order_history") == [(events,)], 60)
    world.command("audit")


def test_what_cannot_be_audited_is_told_from_findings(healthy):
    nobody = healthy.configuration(postgres={"conninfo": "host=127.0.0.1 port=1 user=nobody dbname=nothing"})
    assert "Postgres cannot be reached" in healthy.command("audit", config=nobody, expect=69)
    empty = healthy.configuration(postgres={"conninfo": healthy.servers.postgres})
    assert "run `booking-worker migrate`" in healthy.command("audit", config=empty, expect=78)
    assert "is no order id" in healthy.command("audit", "--order", "7", expect=64)
    assert "belong to --settlement" in healthy.command("audit", "--from", "2026-01-01T00:00Z", expect=64)
    assert "No such file" in healthy.command("audit", "--settlement", "/nowhere/at.all", expect=64)


@pytest.mark.parametrize("act", ["pg_cancel_backend", "pg_terminate_backend"])
def test_an_audit_that_the_server_breaks_off_says_so_and_may_be_run_again(copy, act):
    """As an operator does, a standby that has to replay what the audit still reads, or a server that is stopped."""
    with psycopg.connect(copy.conninfo("postgres")) as lock, concurrent.futures.ThreadPoolExecutor() as beside:
        lock.execute("LOCK TABLE booking.lane_decisions")
        audit = beside.submit(copy.audit, expect=69)
        until("the audit to wait", lambda: copy.ask(
            f"SELECT {act}(pid) FROM pg_stat_activity WHERE application_name = 'booking-worker audit' AND wait_event_type = 'Lock' "
            "AND datname = current_database()"))
        assert audit.result() == []
    assert "booking-worker audit: " in copy.said and ("canceling" in copy.said or "terminating" in copy.said)
    assert len(copy.said.splitlines()) == 1
    assert copy.audit(expect=0) == []


def test_nothing_is_written(copy):
    before = copy.ask("SELECT sum(hashtext(o::text)::bigint), (SELECT sum(hashtext(h::text)::bigint) FROM booking.order_history h), "
                      "(SELECT sum(hashtext(l::text)::bigint) FROM booking.lanes l) FROM booking.orders o")
    copy.audit(expect=0)
    assert before == copy.ask("SELECT sum(hashtext(o::text)::bigint), (SELECT sum(hashtext(h::text)::bigint) FROM booking.order_history h), "
                              "(SELECT sum(hashtext(l::text)::bigint) FROM booking.lanes l) FROM booking.orders o")


# --- rows ---

def test_a_changed_money_column_is_found(copy):
    order = some_order(copy)
    copy.spoil("UPDATE booking.orders SET captured_minor = captured_minor + 1 WHERE order_id = %s", order)
    assert copy.audit() == [("row.columns", f"order={order} the column captured_minor is not what its state says")]


def test_a_damaged_state_is_found(copy):
    order = some_order(copy)
    copy.spoil("UPDATE booking.orders SET state = substr(state, 1, 40) WHERE order_id = %s", order)
    assert copy.found() == ["row.state"]


def test_a_state_whose_money_does_not_add_up_is_found_by_law_and_by_history(copy):
    """The captured amount within the state: both readings of it disagree with what happened."""
    order = some_order(copy)
    state = bytes(copy.ask("SELECT state FROM booking.orders WHERE order_id = %s", order)[0][0])
    captured = bytes([0x80, 0x7d])  # 8000, zigzag
    spoilt = state.replace(captured + b"\x00\x00\x00" + captured, bytes([0x82, 0x7d]) + b"\x00\x00\x00" + captured)
    assert spoilt != state
    copy.spoil("UPDATE booking.orders SET state = %s, captured_minor = 8001 WHERE order_id = %s", spoilt, order)
    assert sorted(copy.found()) == ["history.row", "money.law"]


def test_another_sequence_in_the_row_is_found(copy):
    copy.spoil("UPDATE booking.orders SET sequence = sequence + 1 WHERE order_id = %s", some_order(copy))
    assert copy.found() == ["row.columns"]


def test_another_stage_in_the_row_is_found(copy):
    copy.spoil("UPDATE booking.orders SET stage = 6 WHERE order_id = %s", some_order(copy))
    assert copy.found() == ["row.columns"]


def test_an_order_that_is_gone_is_found(copy):
    order = some_order(copy)
    copy.spoil("DELETE FROM booking.orders WHERE order_id = %s", order)
    assert copy.found() == ["row.missing"]


def test_an_order_that_nothing_in_the_history_made_is_found(copy):
    order = some_order(copy)
    copy.spoil("DELETE FROM booking.order_history WHERE order_id = %s", order,
               rows=copy.ask("SELECT count(*) FROM booking.order_history WHERE order_id = %s", order)[0][0])
    found = copy.found()
    assert found[0] == "history.missing" and set(found[1:]) <= {"outbox.event"}


def test_an_order_on_another_lane_is_found(copy):
    copy.spoil("UPDATE booking.orders SET lane = (lane + 1) %% 4 WHERE order_id = %s", some_order(copy))
    assert copy.found() == ["orders.lane"]


def test_lanes_that_nobody_has_taken_yet_do_not_make_the_others_wrong(copy):
    """As with eight partitions, of which half were assigned so far: the lanes' rows do not say how many there are."""
    copy.spoil("DELETE FROM booking.lanes WHERE lane = 3")
    assert "orders.lane" not in copy.found()


def test_a_refused_placement_that_was_forgotten_is_found(copy):
    copy.spoil("DELETE FROM booking.refused_placements r WHERE NOT EXISTS (SELECT FROM booking.orders o WHERE o.order_id = r.order_id)")
    assert copy.found() == ["row.missing"]


# --- history ---

def test_a_deleted_line_is_found(copy):
    order = some_order(copy)
    copy.spoil("DELETE FROM booking.order_history WHERE order_id = %s AND sequence = 3", order)
    found = copy.found()
    assert found[:2] == ["sequence.gap", "history.replay"]


def test_a_deleted_first_line_is_found(copy):
    copy.spoil("DELETE FROM booking.order_history WHERE order_id = %s AND sequence = 1", some_order(copy))
    assert copy.found()[0] == "history.missing"


def test_a_deleted_last_line_is_found(copy):
    order = some_order(copy)
    copy.spoil("DELETE FROM booking.order_history WHERE order_id = %s AND sequence = (SELECT max(sequence) FROM booking.order_history "
               "WHERE order_id = %s)", order, order)
    assert copy.found()[:2] == ["sequence.row", "history.row"]


def test_a_line_that_stands_twice_is_found(copy):
    order = some_order(copy)
    copy.spoil("INSERT INTO booking.order_history SELECT * FROM booking.order_history WHERE order_id = %s AND sequence = 2", order)
    assert {"sequence.gap", "history.replay", "history.twice"} <= set(copy.found())


@pytest.mark.parametrize(("change", "finding"), [
    ("rule = 'X4'", "history.replay"),
    ("to_stage = 6", "history.replay"),
    ("outcome = 1", "sequence.gap"),
    ("happened_at = happened_at - interval '1 second'", "history.replay"),
    ("actor = 3", "history.replay"),
    ("kind = 'CancelOrder'", "history.columns"),
    ("note = 'it was not me'", "history.columns"),
    ("occurred_at = occurred_at - interval '1 second'", "history.columns"),
    ("event_id = gen_random_uuid()", "history.row"),
    ("outcome = 77", "history.columns"),
])
def test_a_changed_line_is_found(copy, change, finding):
    copy.spoil(f"UPDATE booking.order_history SET {change} WHERE order_id = %s AND sequence = 2", some_order(copy))
    assert finding in copy.found()


def test_a_changed_event_is_found(copy):
    """The amount of a capture, in the event that the history keeps."""
    order = some_order(copy)
    event = bytes(copy.ask("SELECT event FROM booking.order_history WHERE order_id = %s AND kind = 'PaymentCaptured'", order)[0][0])
    assert event.count(b"\x80\x7dEUR") == 1
    copy.spoil("UPDATE booking.order_history SET event = %s WHERE order_id = %s AND kind = 'PaymentCaptured'",
               event.replace(b"\x80\x7dEUR", b"\x82\x7dEUR"), order)
    found = copy.found()
    assert "history.replay" in found or "history.row" in found


def test_an_event_that_is_gone_is_found(copy):
    copy.spoil("UPDATE booking.order_history SET event = NULL WHERE order_id = %s AND sequence = 2", some_order(copy))
    assert copy.found() == ["history.event"]


def test_a_damaged_event_is_found(copy):
    copy.spoil("UPDATE booking.order_history SET event = '\\x01ff' WHERE order_id = %s AND sequence = 2", some_order(copy))
    assert copy.found() == ["history.event"]


# --- outbox and lanes ---

def test_a_deleted_batch_is_found(copy):
    lane, seq, _ = some_batch(copy)
    copy.spoil("DELETE FROM booking.outbox WHERE lane = %s AND seq = %s", lane, seq)
    assert copy.found() == ["outbox.gap"]


def test_the_newest_batch_deleted_is_found(copy):
    copy.spoil("DELETE FROM booking.outbox o USING booking.lanes l WHERE o.lane = 0 AND l.lane = 0 AND o.seq = l.seq")
    found = copy.found()
    assert found[-1] == "outbox.gap" and set(found[:-1]) <= {"outbox.missing"}


def test_a_truncated_batch_is_found(copy):
    lane, seq, _ = some_batch(copy)
    copy.spoil("UPDATE booking.outbox SET data = substr(data, 1, octet_length(data) - 9) WHERE lane = %s AND seq = %s", lane, seq)
    assert copy.found() == ["outbox.unread"]


def test_an_output_that_was_changed_is_found_and_named(copy):
    """One byte of one record's value: a price, a name, whatever it is."""
    lane, seq, _ = some_batch(copy)
    data = bytearray(copy.ask("SELECT data FROM booking.outbox WHERE lane = %s AND seq = %s", lane, seq)[0][0])
    at = data.index(b"Europe/Berlin")
    data[at] ^= 1
    copy.spoil("UPDATE booking.outbox SET data = %s WHERE lane = %s AND seq = %s", bytes(data), lane, seq)
    (finding, says), = copy.audit()
    assert finding == "outbox.event" and f"lane={lane} seq={seq} its " in says and "is not as the history's event emits it" in says


def test_two_batches_that_changed_places_are_found(copy):
    lane, seq, _ = some_batch(copy)
    copy.spoil("UPDATE booking.outbox o SET data = other.data, output_count = other.output_count FROM booking.outbox other "
               "WHERE o.lane = %s AND other.lane = o.lane AND o.seq IN (%s, %s) AND other.seq = %s + %s - o.seq",
               lane, seq, seq + 1, seq, seq + 1, rows=2)
    found = copy.found()
    assert len(found) > 2 and set(found) == {"outbox.event"}


def test_an_output_that_is_missing_is_found_and_named(copy):
    lane, seq, order = some_batch(copy)
    data = bytes(copy.ask("SELECT data FROM booking.outbox WHERE lane = %s AND seq = %s", lane, seq)[0][0])
    first = 4 + int.from_bytes(data[:4], "little")
    copy.spoil("UPDATE booking.outbox SET data = %s, output_count = output_count - 1 WHERE lane = %s AND seq = %s", data[first:], lane, seq)
    (finding, says), = copy.audit()
    assert finding == "outbox.event" and "the batch does not hold it" in says


def test_a_wrong_number_of_outputs_is_found(copy):
    lane, seq, _ = some_batch(copy)
    copy.spoil("UPDATE booking.outbox SET output_count = output_count + 1 WHERE lane = %s AND seq = %s", lane, seq)
    assert copy.found() == ["outbox.count"]


def test_a_lane_that_forgot_its_batches_is_found(copy):
    copy.spoil("UPDATE booking.lanes SET seq = seq - 2 WHERE lane = 1")
    assert {"outbox.beyond", "outbox.missing"} <= set(copy.found()) <= {"outbox.beyond", "outbox.missing", "lanes.seq"}


# --- what is no fault ---

def test_what_was_dropped_with_its_partition_is_no_finding(copy):
    """As years later: the partitions of now are gone, the orders of then are still there."""
    lines = copy.ask("SELECT count(*) FROM booking.order_history WHERE sequence > 2")[0][0]
    copy.spoil("UPDATE booking.migrations SET applied_at = applied_at - interval '2 months'",
               rows=copy.ask("SELECT count(*) FROM booking.migrations")[0][0])
    copy.spoil("DELETE FROM booking.order_history WHERE sequence <= 2 AND order_id IN (SELECT order_id FROM booking.orders WHERE sequence > 2)",
               rows=copy.ask("SELECT count(*) FROM booking.order_history WHERE sequence <= 2 AND order_id IN "
                             "(SELECT order_id FROM booking.orders WHERE sequence > 2)")[0][0])
    batches = copy.ask("SELECT count(*) FROM booking.outbox")[0][0]
    copy.spoil("UPDATE booking.outbox SET recorded_at = recorded_at - interval '2 months'", rows=batches)
    assert copy.audit(expect=0) == [] and lines > 0
    assert "were dropped with a partition" in copy.said and f"cannot be replayed: {batches} batches" in copy.said


def test_lines_from_before_events_were_kept_are_no_finding(copy):
    copy.spoil("UPDATE booking.migrations SET applied_at = now() + interval '1 day' WHERE version = 4")
    count = copy.ask("SELECT count(*) FROM booking.order_history WHERE event IS NOT NULL")[0][0]
    copy.spoil("UPDATE booking.order_history SET event = NULL WHERE event IS NOT NULL", rows=count)
    assert copy.audit(expect=0) == []
    assert f"older than the history's events: {count} lines" in copy.said


# --- one order, JSON, limits ---

def test_one_order_alone_is_audited_with_its_part_of_the_outbox(copy):
    lane, seq, order = some_batch(copy)
    other, = copy.ask("SELECT order_id FROM booking.orders WHERE order_id <> %s ORDER BY order_id LIMIT 1", order)[0]
    assert copy.audit("--order", str(order), expect=0) == []
    assert "1 orders (1 replayed)" in copy.said
    copy.spoil("UPDATE booking.orders SET captured_minor = 1 WHERE order_id = %s", other)
    assert copy.audit("--order", str(order), expect=0) == []
    copy.spoil("UPDATE booking.outbox SET data = '' WHERE lane = %s AND seq = %s", lane, seq)
    assert set(copy.found("--order", str(order))) >= {"outbox.event"}
    copy.audit("--order", "018f3c2a-9b1d-7e4f-8a6b-0123456789ab", expect=1)
    assert "there is no order" in copy.said


def test_findings_are_json_lines_for_programs_and_can_be_limited(copy):
    order = some_order(copy)
    copy.spoil("UPDATE booking.orders SET revision = revision + 1 WHERE stage = 5",
               rows=copy.ask("SELECT count(*) FROM booking.orders WHERE stage = 5")[0][0])
    lines = [json.loads(" ".join(line)) for line in copy.audit("--json", "--limit", "1")]
    assert lines == [{"finding": "row.columns", "order_id": str(order), "says": "the column revision is not what its state says"}]
    assert "findings are not shown" in copy.said


# --- settlement ---

def settled(copy):
    """What the gateway would say, from the worker's own history."""
    rows = [(payment, "capture", "80.00", "EUR", at) for payment, at in copy.ask(
        "SELECT substr(event_id::text, 1, 8), occurred_at FROM booking.order_history WHERE kind = 'PaymentCaptured' AND outcome = 0 AND order_id IN "
        "(SELECT order_id FROM booking.orders WHERE customer_id LIKE 'customer-_' AND market = 'default') "
        "AND occurred_at < now() - interval '1 hour'")]
    rows += [(instruction, "payout", "80.00", "EUR", at) for instruction, at in copy.ask(
        "SELECT order_id, occurred_at FROM booking.order_history WHERE kind = 'PayoutCompleted'")]
    return rows


def settlement(copy, change=lambda rows: rows):
    rows = [[str(uuid.uuid5(payment, "refund-or-payout/1")) if kind == "payout" else payment, kind, amount, currency, at.isoformat(), "a, \"b\""]
            for payment, kind, amount, currency, at in settled(copy)]
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([["payment_id", "kind", "amount", "currency", "instant", "comment"], *change(rows)])
    return "\ufeff" + out.getvalue()


def reconcile(copy, change=lambda rows: rows, *words, expect=1):
    """Over the hours of the lives alone, not the odd things of just now."""
    first, last = copy.ask("SELECT min(occurred_at), min(occurred_at) + interval '2 hours' FROM booking.order_history WHERE occurred_at > now() - interval '4 hours'")[0]
    return copy.audit("--settlement", "-", *words, "--from", first.astimezone().isoformat(timespec="milliseconds"), "--to",
                      last.astimezone().isoformat(timespec="milliseconds"), stdin=settlement(copy, change), expect=expect)


def test_a_settlement_that_agrees_finds_nothing(copy):
    assert len(settled(copy)) > ORDERS / 2
    assert reconcile(copy, expect=0) == []


def test_what_the_settlement_does_not_have_is_found(copy):
    gone = []
    found = reconcile(copy, lambda rows: [row for row in rows if row is not rows[3] or gone.append(row)])
    assert [(name, f"capture {gone[0][0]} of 80.00 EUR" in says) for name, says in found] == [("settlement.missing", True)]


def test_what_only_the_settlement_has_is_found(copy):
    at = copy.ask("SELECT min(occurred_at) + interval '1 hour' FROM booking.order_history WHERE occurred_at > now() - interval '4 hours'")[0][0].isoformat()
    found = reconcile(copy, lambda rows: [*rows, ["nobody-knows-it", "refund", "1.00", "EUR", at, ""]])
    assert [(name, "refund nobody-knows-it of 1.00 EUR" in says) for name, says in found] == [("settlement.extra", True)]


def test_a_line_that_stands_in_the_settlement_twice_is_found(copy):
    first, _ = copy.ask("SELECT min(occurred_at), 0 FROM booking.order_history WHERE occurred_at > now() - interval '4 hours'")[0]
    found = reconcile(copy, lambda rows: [*rows, [*rows[2][:4], first.isoformat(), "again"]])
    assert [(name, says.endswith("it stands in the file twice")) for name, says in found] == [("settlement.extra", True)]


def test_other_amounts_and_currencies_in_the_settlement_are_found(copy):
    found = reconcile(copy, lambda rows: [[*rows[0][:2], "79.99", *rows[0][3:]], [*rows[-1][:2], "8000", "JPY", *rows[-1][4:]], *rows[1:-1]])
    assert [name for name, _ in found] == ["settlement.different"] * 2
    assert sorted(says.rsplit(" has ", 1)[1] for _, says in found) == ["79.99 EUR", "8000 JPY"]


def test_another_instant_in_the_settlement_is_found_when_it_is_further_away_than_is_tolerated(copy):
    """Whether a capture was in time depends on it (P2)."""
    def later(hours):
        return lambda rows: [[*rows[0][:4], (datetime.datetime.fromisoformat(rows[0][4]) + datetime.timedelta(hours=hours)).isoformat(), ""], *rows[1:]]
    (finding, says), = reconcile(copy, later(1.5))
    assert finding == "settlement.different" and " dates it " in says
    assert reconcile(copy, later(0.5), expect=0) == []
    assert reconcile(copy, later(1.5), "--tolerance", "2h", expect=0) == []
    assert [name for name, _ in reconcile(copy, later(0.5), "--tolerance", "0s")] == ["settlement.different"]


def test_money_that_found_no_order_is_told_from_money_that_nobody_knows(copy):
    at = copy.ask("SELECT occurred_at FROM booking.order_history WHERE kind = 'PaymentCaptured' AND outcome = 3")[0][0].isoformat()
    found = copy.audit("--settlement", "-", stdin=f"payment_id,kind,amount,currency,instant\nlost,capture,80.00,EUR,{at}\n")
    assert [name for name, _ in found] == ["settlement.dead_letter"]


@pytest.mark.parametrize(("text", "says"), [
    ("", "there is no header"),
    ("payment_id,kind,amount,currency\n", "the header does not name instant"),
    ("payment_id,kind,amount,currency,instant\nx,capture,80.0,EUR,2026-01-01T00:00Z\n", ":2: amount"),
    ("payment_id,kind,amount,currency,instant\nx,capture,80.00,EUR,2026-01-01T00:00Z\nx,theft,80.00,EUR,2026-01-01T00:00Z\n", ':3: there is no kind "theft"'),
    ('payment_id,kind,amount,currency,instant\n"x,capture,80.00,EUR,2026-01-01T00:00Z\n', ":2: a quotation mark is not closed"),
    ("payment_id,kind,amount,currency,instant\nx,capture,80.00,EUR,yesterday\n", ':2: instant "yesterday"'),
    ("payment_id,kind,amount,currency,instant\nx,capture,80.00,EUR\n", ":2: it has 4 fields"),
])
def test_a_settlement_that_cannot_be_read_names_its_line(copy, text, says):
    copy.audit("--settlement", "-", stdin=text, expect=64)
    assert says in copy.said
