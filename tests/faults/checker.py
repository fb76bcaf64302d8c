"""The promise, checked on evidence: what was sent, what Postgres decided and what consumers saw. No server is asked here;
evidence.py gathers, and test_checker.py shows that each kind of harm is found."""
import collections

import outbox

# One record that a consumer saw; `digest` is hash() of its value, which never changes within a process.
Mark = collections.namedtuple("Mark", "key event_id digest")
# One batch as it stands in booking.outbox.
Batch = collections.namedtuple("Batch", "lane seq output_count data")
# One outcome as it stands in booking.order_history, in the order in which an order's were written.
Outcome = collections.namedtuple("Outcome", "order_id event_id name sequence")
# One lane as it stands in booking.lanes; `offsets` are by the topic's suffix.
Lane = collections.namedtuple("Lane", "lane seq offsets halt_reason")

LOST, DOUBLED, DISORDER, TORN = "lost", "doubled", "out of order", "torn"
STRANGE, UNREST, STUCK, SECRET = "strange", "unrest", "stuck", "secret in a log"
Finding = collections.namedtuple("Finding", "kind text")


class Findings:
    """What is wrong, counted by kind; the first few of each kind are told."""

    TOLD = 5

    def __init__(self):
        self.counts, self.told = collections.Counter(), []

    def add(self, kind, text):
        self.counts[kind] += 1
        if self.counts[kind] <= self.TOLD:
            self.told.append(Finding(kind, text))

    def extend(self, other):
        self.counts.update(other.counts)
        self.told += other.told

    def __bool__(self):
        return bool(self.counts)

    def __str__(self):
        return "\n".join([", ".join(f"{count} {kind}" for kind, count in self.counts.items()) or "nothing is wrong"]
                         + [f"  {finding.kind}: {finding.text}" for finding in self.told])


def _place(output):
    """What a record is known by: its event id, or (dead letters have none) its bytes."""
    return (output.suffix, output.event_id if output.event_id is not None else hash(output.value))


def expected_outputs(batches, found, suffixes):
    """{place: (lane, number in the lane, digest, times)} of all that the outbox holds; the batches' own shape is checked."""
    expected, last = {}, {}
    for batch in sorted(batches, key=lambda batch: (batch.lane, batch.seq)):
        number, seq = last.get(batch.lane, (0, 0))
        if batch.seq != seq + 1:
            found.add(LOST if batch.seq > seq + 1 else DOUBLED, f"lane {batch.lane}: outbox batch {batch.seq} comes after {seq}")
        try:
            outputs = outbox.records(batch.data)
        except outbox.Torn as why:
            found.add(TORN, f"outbox batch {batch.seq} of lane {batch.lane}: {why}")
            outputs = []
        if len(outputs) != batch.output_count:
            found.add(TORN, f"outbox batch {batch.seq} of lane {batch.lane} has {len(outputs)} records, not {batch.output_count}")
        for output in outputs:
            if output.suffix not in suffixes:
                continue
            number += 1
            place, digest = _place(output), hash(output.value)
            if place in expected and output.event_id is not None:
                found.add(DOUBLED, f"{output.suffix} {output.event_id.hex()} stands twice in the outbox")
            before = expected.get(place)
            expected[place] = (batch.lane, number, digest, before[3] + 1 if before else 1)
        last[batch.lane] = (number, batch.seq)
    return expected


def check_log(batches, log):
    """The visible log is the outbox: each record once, whole, in the order of its lane. `log`: {(suffix, partition): [Mark]}
    of a read_committed reader, in the order of offsets."""
    found, suffixes = Findings(), {suffix for suffix, _ in log}
    expected = expected_outputs(batches, found, suffixes)
    seen = collections.Counter()
    for (suffix, partition), marks in log.items():
        newest = {}  # per lane: an older record after a newer one is out of order, and so are epochs that interleave
        for mark in marks:
            place = (suffix, mark.event_id if mark.event_id is not None else mark.digest)
            if place not in expected:
                found.add(STRANGE, f"{suffix}/{partition}: a record of {mark.key} that no outbox batch holds")
                continue
            lane, number, digest, times = expected[place]
            seen[place] += 1
            if seen[place] > times:
                found.add(DOUBLED, f"{suffix}/{partition}: a record of {mark.key} was seen {seen[place]} times")
                continue
            if mark.digest != digest:
                found.add(TORN, f"{suffix}/{partition}: a record of {mark.key} has not the bytes of the outbox")
            if times > 1:  # dead letters of the same bytes: nobody can tell which is which
                continue
            if number < newest.get(lane, 0):
                found.add(DISORDER, f"{suffix}/{partition}: a record of {mark.key} came after a later one of lane {lane}")
            newest[lane] = max(number, newest.get(lane, 0))
    for place, (lane, number, _, times) in expected.items():
        if seen[place] < times:
            found.add(LOST, f"{place[0]}: output {number} of lane {lane} was never seen")
    return found


def check_outcomes(sent, outcomes):
    """Every input has one outcome, and an order's applied events are numbered 1, 2, 3 … `sent`: event ids."""
    found, counts, decided, last = Findings(), collections.Counter(), set(), {}
    for outcome in outcomes:
        if outcome.event_id is not None:
            counts[outcome.event_id] += 1
            if outcome.name != "dead_letter":
                decided.add(outcome.event_id)
        if outcome.name != "applied":
            continue
        if outcome.sequence != last.get(outcome.order_id, 0) + 1:
            found.add(DISORDER, f"order {outcome.order_id}: sequence {outcome.sequence} after {last.get(outcome.order_id, 0)}")
        last[outcome.order_id] = outcome.sequence
    for event_id in sent:
        if counts[event_id] == 0:
            found.add(LOST, f"event {event_id} has no outcome")
        elif counts[event_id] > 1:
            found.add(DOUBLED, f"event {event_id} has {counts[event_id]} outcomes")
    strange = len(decided - set(sent))
    if strange:
        found.add(STRANGE, f"{strange} outcomes of events that nobody sent")
    return found


def check_sequences(sequences):
    """What consumers saw of each order's life: 1, 2, 3 … `sequences`: {order: [sequence of each stage change]}."""
    found = Findings()
    for order, numbers in sequences.items():
        if numbers != list(range(1, len(numbers) + 1)):
            found.add(DISORDER, f"order {order}: stage changes were seen with the sequences {numbers}")
    return found


def check_rest(lanes, committed, ends):
    """Nothing is left to do. `committed`: {(suffix, partition): W or None} of the consumer group; `ends`: {(suffix,
    partition): end of an input partition that holds no control records}."""
    found = Findings()
    for lane in lanes:
        if lane.halt_reason is not None:
            found.add(STUCK, f"lane {lane.lane} is halted: {lane.halt_reason}")
        for suffix, offset in lane.offsets.items():
            w = committed.get((suffix, lane.lane))
            if w != lane.seq and (lane.seq > 0 or w is not None):
                found.add(UNREST, f"lane {lane.lane}: W in Kafka is {w} on {suffix}, and seq in Postgres {lane.seq}")
            end = ends.get((suffix, lane.lane), 0)
            if max(offset, 0) < end:
                found.add(LOST, f"lane {lane.lane}: {suffix} was read to {offset} of {end}")
    missing = {partition for _, partition in ends} - {lane.lane for lane in lanes}
    if missing:
        found.add(LOST, f"lanes {sorted(missing)} were never taken")
    return found
