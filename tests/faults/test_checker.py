"""The checker finds a doubled, a missing, a swapped and a torn output, and whatever else it is there for. No servers."""
import pathlib
import sys
import uuid

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import checker  # noqa: E402
import outbox  # noqa: E402
from checker import Batch, Lane, Mark, Outcome  # noqa: E402

SUFFIX = "stage-changed"
ORDERS = [str(uuid.UUID(int=number)) for number in (1, 2)]


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def encode(key, event_id, value, suffix=SUFFIX):
    """A record as src/codec/outbox.c writes it: no partition, an event id, a header, the key as a part of the value or not."""
    at = value.find(key)
    has = (outbox.HAS_EVENT_ID if event_id else 0) | outbox.HAS_VALUE | outbox.HAS_KEY | (outbox.KEY_IS_IN_VALUE if at >= 0 else 0)
    body = bytes([outbox.VERSION, outbox.TOPICS.index(suffix), has]) + b"\x01" + varint(2 * 1_700_000_000_000) + event_id
    body += varint(len(value)) + value + varint(len(key)) + (varint(at) if at >= 0 else key)
    body += b"\x01" + varint(4) + b"name" + varint(3) + b"xy"
    return len(body).to_bytes(4, "little") + body


def output(number):
    """The nth output of a lane: its bytes in the outbox, and what a consumer sees of it."""
    key, event_id = ORDERS[number % 2], uuid.UUID(int=1000 + number).bytes
    value = f"of {key}, number {number}".encode()
    return encode(key.encode(), event_id, value), Mark(key, event_id, hash(value))


def evidence(count=6, per_batch=2):
    outputs = [output(number) for number in range(count)]
    batches = [Batch(0, at // per_batch + 1, per_batch, b"".join(data for data, _ in outputs[at:at + per_batch]))
               for at in range(0, count, per_batch)]
    return batches, [mark for _, mark in outputs]


def kinds_of(batches, marks):
    return dict(checker.check_log(batches, {(SUFFIX, 0): marks}).counts)


def test_what_is_as_it_should_be_gives_no_findings():
    batches, marks = evidence()
    assert kinds_of(batches, marks) == {}


def test_a_record_is_taken_apart_as_it_was_written():
    for value in (b"of a key inside", b"without it"):
        found = outbox.records(encode(b"key", bytes(16), value))
        assert found == [outbox.Output(SUFFIX, -1, b"key", bytes(16), value)]


def test_equal_dead_letters_are_counted_and_stand_in_nobody_s_way():
    values = b"garbage", b"other garbage", b"garbage"
    batches = [Batch(0, 1, 3, b"".join(encode(b"key", b"", value, "dead-letters") for value in values))]
    marks = [Mark("key", None, hash(value)) for value in values]
    seen = lambda some: dict(checker.check_log(batches, {("dead-letters", 0): some}).counts)  # noqa: E731
    assert seen(marks) == {}
    assert seen(marks[:2]) == {checker.LOST: 1}
    assert seen(marks + marks[:1]) == {checker.DOUBLED: 1}


def test_a_doubled_output_is_found():
    batches, marks = evidence()
    assert kinds_of(batches, marks + marks[2:3]) == {"doubled": 1}


def test_a_missing_output_is_found():
    batches, marks = evidence()
    assert kinds_of(batches, marks[:3] + marks[4:]) == {"lost": 1}


def test_a_batch_that_is_half_visible_is_found():
    batches, marks = evidence()
    assert kinds_of(batches, marks[:5]) == {"lost": 1}


def test_swapped_outputs_are_found():
    batches, marks = evidence()
    assert kinds_of(batches, [marks[0], marks[3], marks[2], marks[1], *marks[4:]]) == {"out of order": 2}


def test_batches_of_two_epochs_that_interleave_are_found():
    batches, marks = evidence(8, 4)
    assert kinds_of(batches, [marks[0], marks[1], marks[4], marks[5], marks[2], marks[3], marks[6], marks[7]]) == {"out of order": 2}


def test_an_output_with_other_bytes_is_found():
    batches, marks = evidence()
    assert kinds_of(batches, [marks[0]._replace(digest=hash(b"half of i")), *marks[1:]]) == {"torn": 1}


@pytest.mark.parametrize("harm", [lambda data: data[:-1], lambda data: data[:2], lambda data: data + b"\0"])
def test_a_torn_batch_is_found(harm):
    batches, marks = evidence()
    torn = [batches[0]._replace(data=harm(batches[0].data)), *batches[1:]]
    assert kinds_of(torn, marks)["torn"] >= 1


def test_a_batch_with_fewer_records_than_it_says_is_found():
    batches, marks = evidence()
    short = [*batches[:-1], batches[-1]._replace(data=output(4)[0])]
    assert kinds_of(short, marks[:-1]) == {"torn": 1}


def test_a_missing_and_a_repeated_batch_are_found():
    batches, marks = evidence()
    assert kinds_of([batches[0], batches[2]], marks[:2] + marks[4:]) == {"lost": 1}
    assert kinds_of([*batches, batches[1]], marks)["doubled"] >= 1


def test_an_output_that_nobody_decided_is_found():
    batches, marks = evidence()
    assert kinds_of(batches, [*marks, Mark(ORDERS[0], bytes(16), 0)]) == {"strange": 1}


def test_inputs_without_an_outcome_or_with_two_are_found():
    outcomes = [Outcome("o", "a", "applied", 1), Outcome("o", "b", "rejected", 1), Outcome("o", "c", "applied", 2)]
    assert not checker.check_outcomes(["a", "b", "c"], outcomes)
    assert dict(checker.check_outcomes(["a", "b", "c", "d"], outcomes).counts) == {"lost": 1}
    assert dict(checker.check_outcomes(["a", "b", "c"], outcomes + outcomes[1:2]).counts) == {"doubled": 1}
    assert dict(checker.check_outcomes(["a", "b"], outcomes).counts) == {"strange": 1}


def test_a_gap_and_a_step_back_in_an_order_s_sequence_are_found():
    for numbers in ([1, 3], [2], [1, 1], [1, 3, 2]):
        rows = [Outcome("o", str(place), "applied", number) for place, number in enumerate(numbers)]
        assert checker.check_outcomes([row.event_id for row in rows], rows).counts["out of order"] >= 1
        assert checker.check_sequences({"o": numbers}).counts == {"out of order": 1}
    assert not checker.check_sequences({"o": [1, 2, 3], "p": []})


def test_what_is_not_at_rest_is_found():
    lane, ends = Lane(0, 5, {"customer-actions": 7}, None), {("customer-actions", 0): 7}
    assert not checker.check_rest([lane], {("customer-actions", 0): 5}, ends)
    assert checker.check_rest([lane], {("customer-actions", 0): 4}, ends).counts == {"unrest": 1}
    assert checker.check_rest([lane], {}, ends).counts == {"unrest": 1}
    assert checker.check_rest([lane], {("customer-actions", 0): 5}, {("customer-actions", 0): 9}).counts == {"lost": 1}
    assert checker.check_rest([lane._replace(halt_reason="why")], {("customer-actions", 0): 5}, ends).counts == {"stuck": 1}
    assert checker.check_rest([lane], {("customer-actions", 0): 5}, {**ends, ("customer-actions", 1): 1}).counts == {"lost": 1}
