"""`audit`: every column of every table, changed by hand; what stands beside an event in its line; and what only the whole
database shows. The lives are made once; each test spoils what they left, and puts it back."""
import pytest

from spoilt import copy, healthy, some_batch, some_order  # noqa: F401  # fixtures

# Another value of the same type, and one where there was none.
OTHER = {"int8": "{} + 1", "int4": "{} + 1", "int2": "({} + 1) %% 4", "bool": "NOT {}", "timestamptz": "{} + interval '1 second'",
         "text": "{} || 'x'", "uuid": "gen_random_uuid()", "bytea": "set_byte({0}, length({0}) / 2, get_byte({0}, length({0}) / 2) # 1)"}
SOME = {"int8": "7", "int4": "1", "int2": "1", "timestamptz": "now()", "text": "'x'", "uuid": "gen_random_uuid()", "bytea": "'\\x01ff'"}


def columns_of(copy, table):
    return copy.ask("SELECT column_name, udt_name FROM information_schema.columns WHERE table_schema = 'booking' AND table_name = %s "
                    "ORDER BY ordinal_position", table)


def change(copy, table, place, column, kind):
    """In one row of the table, to anything else."""
    is_null = copy.ask(f"SELECT {column} IS NULL FROM booking.{table} WHERE {place}")[0][0]
    copy.spoil(f"UPDATE booking.{table} SET {column} = " + (SOME if is_null else OTHER)[kind].format(column) + f" WHERE {place}")


# --- all columns ---

def test_every_column_of_an_order_is_compared(copy):
    """Each in another order, all of them at once: each order is named. Only the database's own clock is nobody's business."""
    columns = [column for column in columns_of(copy, "orders") if column[0] not in ("order_id", "updated_at")]
    orders = [order for order, in copy.ask("SELECT order_id FROM booking.orders WHERE stage = 5 ORDER BY order_id LIMIT %s", len(columns))]
    assert len(columns) > 30 and len(orders) == len(columns)
    for order, (column, kind) in zip(orders, columns, strict=True):
        change(copy, "orders", f"order_id = '{order}'", column, kind)
    found = copy.audit()
    for order, (column, _) in zip(orders, columns, strict=True):
        assert any(f"order={order} " in says for _, says in found), f"{column} can be changed, and nobody sees it"


def test_another_order_id_in_a_row_is_found(copy):
    copy.spoil("UPDATE booking.orders SET order_id = gen_random_uuid() WHERE order_id = %s", some_order(copy))
    assert {"row.missing", "row.state", "history.missing"} <= set(copy.found())


# An offset is known to nothing else, unless it is another line's or one that was not read yet; nor is a line's place in its batch.
@pytest.mark.parametrize(("lines", "unseen"), [
    ("outcome = 0 AND topic IS NOT NULL AND sequence = 2", {"source_offset", "line"}),
    ("outcome = 0 AND kind = 'PaymentCaptured'", {"source_offset", "line"}),
    ("outcome = 1 AND kind = 'MarkDone'", {"source_offset", "line"}),
])
def test_every_column_of_a_line_is_compared(copy, lines, unseen):
    columns = [column for column in columns_of(copy, "order_history") if column[0] not in unseen]
    places = copy.ask(f"SELECT DISTINCT ON (order_id) order_id, lane, line, recorded_at, lane_seq FROM booking.order_history WHERE {lines} "
                      "ORDER BY order_id")
    for column, kind in columns:
        order, lane, line, recorded_at, seq = places[0]
        change(copy, "order_history", f"order_id = '{order}' AND lane = {lane} AND line = {line} AND recorded_at = '{recorded_at}'", column, kind)
        found = copy.audit()
        assert any(f"order={order}" in says or f"lane={lane} seq={seq}" in says or column in ("order_id", "lane", "lane_seq")
                   for _, says in found), column
        copy.restore()


@pytest.mark.parametrize("lines", ["outcome = 0 AND topic IS NULL", "outcome = 4"])
@pytest.mark.parametrize("column", ["event_id", "occurred_at", "source_offset", "partition", "actor_id", "note", "event"])
def test_what_a_deadline_or_a_reminder_cannot_have_is_found(copy, lines, column):
    kind = dict(columns_of(copy, "order_history"))[column]
    place = f"(tableoid, ctid) = (SELECT tableoid, ctid FROM booking.order_history WHERE {lines} ORDER BY order_id LIMIT 1)"
    assert copy.ask(f"SELECT {column} IS NULL FROM booking.order_history WHERE {place}") == [(True,)]
    change(copy, "order_history", place, column, kind)
    assert copy.found() == ["history.columns"]


@pytest.mark.parametrize("change", [
    "partition = NULL", "partition = (partition + 1) %% 4", "source_offset = NULL", "source_offset = -1", "topic = 3", "topic = 2"])
def test_a_place_that_an_event_cannot_have_come_from_is_found(copy, change):
    """Its partition is its lane's, its topic the one where such events come in, or the rerouted one's. (Of an order whose records have
    an offset each: on another topic, this one would else be in another one's place.)"""
    order = copy.ask("SELECT order_id FROM booking.order_history GROUP BY order_id HAVING max(to_stage) FILTER (WHERE outcome = 0) = 5 "
                     "AND count(source_offset) = count(DISTINCT source_offset) ORDER BY order_id LIMIT 1")[0][0]
    copy.spoil(f"UPDATE booking.order_history SET {change} WHERE order_id = %s AND sequence = 2", order)
    assert copy.found() == ["history.columns"]


@pytest.mark.parametrize("change", [
    "sequence = 1", "from_stage = 1", "to_stage = 1", "reason = 'x'", "event_id = gen_random_uuid()", "occurred_at = now()",
    "happened_at = now()", "kind = 'PlaceOrder'", "actor = 1", "actor_id = 'x'", "partition = NULL", "partition = (partition + 1) %% 4"])
def test_what_a_record_without_a_reading_cannot_have_is_found(copy, change):
    copy.spoil(f"UPDATE booking.order_history SET {change} WHERE outcome = 3 AND order_id IS NULL AND topic = 0 AND kind IS NULL")
    assert "history.columns" in copy.found()


# --- rows without a history ---

def test_an_order_whose_history_is_gone_is_found_however_old_its_row_claims_to_be(copy):
    """Nothing was dropped yet: so there is no time from before that which is kept."""
    order = some_order(copy, stage=1)
    copy.spoil("UPDATE booking.orders SET updated_at = '2020-01-01' WHERE order_id = %s", order)
    copy.spoil("DELETE FROM booking.order_history WHERE order_id = %s", order,
               rows=copy.ask("SELECT count(*) FROM booking.order_history WHERE order_id = %s", order)[0][0])
    assert "history.missing" in copy.found()


def test_a_refused_placement_that_nobody_made_is_found(copy):
    """It would make the placement that comes a repetition. As it would stand there, had it happened: all but the history of it."""
    order = copy.ask("SELECT r.order_id FROM booking.refused_placements r WHERE NOT EXISTS (SELECT FROM booking.orders o WHERE o.order_id = r.order_id)")[0][0]
    copy.spoil("DELETE FROM booking.order_history WHERE order_id = %s", order,
               rows=copy.ask("SELECT count(*) FROM booking.order_history WHERE order_id = %s", order)[0][0])
    assert copy.found("--order", str(order)) == ["history.missing"]
    assert "history.missing" in copy.found()


# --- batches ---

def test_batches_and_their_lines_were_written_at_one_time(copy):
    """A later time would keep a batch, or an earlier one drop it, with another partition than its lines'."""
    lane, seq, _ = some_batch(copy)
    copy.spoil("UPDATE booking.outbox SET recorded_at = recorded_at + interval '1 second' WHERE lane = %s AND seq = %s", lane, seq)
    (finding, says), = copy.audit()
    assert finding == "outbox.recorded" and f"lane={lane} seq={seq} " in says


def test_a_line_that_claims_another_time_than_its_batch_is_found(copy):
    order = some_order(copy)
    copy.spoil("UPDATE booking.order_history SET recorded_at = recorded_at + interval '1 hour' WHERE order_id = %s AND sequence = 2", order)
    assert set(copy.found("--order", str(order))) == {"outbox.recorded"}
    assert set(copy.found()) == {"outbox.recorded"}


def records_of(data):
    """A batch's records, each with its length before it."""
    records, at = [], 0
    while at < len(data):
        length = 4 + int.from_bytes(data[at:at + 4], "little")
        records.append(data[at:at + length])
        at += length
    return records


def test_two_outputs_of_an_order_that_changed_places_in_their_batch_are_found(copy):
    """Consumers take the newest sequence for the order's state."""
    lane, seq, order = some_batch(copy)
    records = records_of(bytes(copy.ask("SELECT data FROM booking.outbox WHERE lane = %s AND seq = %s", lane, seq)[0][0]))
    first, second = [at for at, record in enumerate(records) if str(order).encode() in record][:2]
    records[first], records[second] = records[second], records[first]
    copy.spoil("UPDATE booking.outbox SET data = %s WHERE lane = %s AND seq = %s", b"".join(records), lane, seq)
    found = copy.audit()
    assert {name for name, _ in found} == {"outbox.event"} and "order in which" in found[0][1]


def test_a_record_that_names_another_schema_than_its_neighbours_is_found(copy):
    """Its frame is not compared with what this build would write, since other builds have other schemas; but one wrote the batch."""
    lane, seq, _ = some_batch(copy)
    data = bytearray(copy.ask("SELECT data FROM booking.outbox WHERE lane = %s AND seq = %s", lane, seq)[0][0])
    frames = [bytes(data[at:at + 10]) for at in range(len(data)) if data[at:at + 2] == b"\xc3\x01"]
    frame = max(frames, key=frames.count)
    assert frames.count(frame) > 1
    data[data.index(frame) + 5] ^= 1
    copy.spoil("UPDATE booking.outbox SET data = %s WHERE lane = %s AND seq = %s", bytes(data), lane, seq)
    (finding, says), = copy.audit()
    assert finding == "outbox.event" and f"lane={lane} seq={seq} " in says and "name different schemas" in says


def test_a_batch_of_nothing_is_found(copy):
    copy.spoil("WITH told AS (UPDATE booking.lanes SET seq = seq + 1 WHERE lane = 1 RETURNING seq) "
               "INSERT INTO booking.outbox SELECT now(), seq, 1, 0, '' FROM told")
    assert copy.found() == ["outbox.count"]


@pytest.mark.parametrize("seq", (0, -5))
def test_a_batch_before_the_first_is_found_and_makes_no_other_look_wrong(copy, seq):
    copy.spoil(f"INSERT INTO booking.outbox SELECT recorded_at, {seq}, lane, output_count, data FROM booking.outbox WHERE lane = 1 AND seq = 1")
    assert copy.found() == ["outbox.beyond"]


# --- lanes ---

TOPICS = ("customer_actions", "provider_actions", "gateway_callbacks", "rerouted")


@pytest.mark.parametrize("topic", TOPICS)
def test_a_lane_that_would_read_again_what_the_history_has_is_found(copy, topic):
    code = ("customer_actions", "provider_actions", "gateway_callbacks", "operator_actions", "rerouted").index(topic)
    lane, last = copy.ask("SELECT lane, max(source_offset) FROM booking.order_history WHERE topic = %s GROUP BY lane ORDER BY 2 DESC LIMIT 1", code)[0]
    copy.spoil(f"UPDATE booking.lanes SET {topic} = %s WHERE lane = %s", last, lane)
    (finding, says), = copy.audit()
    assert finding == "lanes.offset" and f"lane={lane} " in says and topic.replace("_", "-") in says


def test_a_line_from_beyond_what_was_read_is_found(copy):
    copy.spoil("UPDATE booking.order_history SET source_offset = source_offset + 1000000 WHERE order_id = %s AND sequence = 2", some_order(copy))
    assert copy.found() == ["lanes.offset"]


@pytest.mark.parametrize("value", [-3, -77])
def test_an_offset_that_is_none_is_found(copy, value):
    copy.spoil("UPDATE booking.lanes SET operator_actions = %s WHERE lane = 1", value)
    assert copy.found() == ["lanes.offset"]


def test_a_row_of_a_lane_that_never_was_does_not_hide_that_an_order_changed_lanes(copy):
    copy.spoil("INSERT INTO booking.lanes (lane) VALUES (77)")
    assert copy.audit(expect=0) == []
    copy.spoil("UPDATE booking.orders SET lane = (lane + 1) %% 4 WHERE order_id = %s", some_order(copy))
    assert copy.found() == ["orders.lane"]


@pytest.mark.parametrize("epoch", [0, -1])
def test_a_lane_that_wrote_and_was_never_taken_is_found(copy, epoch):
    copy.spoil("UPDATE booking.lanes SET epoch = %s WHERE lane = 1", epoch)
    assert copy.found() == ["lanes.epoch"]


# --- decisions: they explain what would be a finding, so a broken one must not do so, nor hide the others ---

@pytest.mark.parametrize(("before", "decided_at"), [
    ('{"customer_actions": "many"}', "now()"), ('{"customer_actions": 1e30}', "now()"), ('{"customer_actions": 7}', "'infinity'"),
    ("7", "now()"), ("[]", "now()")])
def test_a_decision_that_cannot_be_read_explains_nothing_and_is_found(copy, before, decided_at):
    copy.spoil("INSERT INTO booking.lane_decisions (decided_at, decided_by, lane, verbs, reason, row_before, row_after) VALUES "
               f"({decided_at}, 'eve', 1, '--accept-new-topic', 'none', %s, '{{\"customer_actions\": 0}}')", before)
    copy.spoil("UPDATE booking.lanes SET epoch = 0 WHERE lane = 0")
    assert sorted(copy.found()) == ["lanes.decision", "lanes.epoch"]
