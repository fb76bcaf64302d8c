"""Outbox batches as the header of src/codec/outbox.c describes them, taken apart without the worker's own code."""
import collections

TOPICS = ("customer-actions", "provider-actions", "gateway-callbacks", "operator-actions", "rerouted", "stage-changed",
          "customer-notifications", "provider-notifications", "payment-instructions", "operator-alerts", "rejections",
          "dead-letters")
VERSION = 1
HAS_EVENT_ID, HAS_CAUSED_BY, HAS_KEY, HAS_VALUE, KEY_IS_IN_VALUE = 1, 2, 4, 8, 16

Output = collections.namedtuple("Output", "suffix partition key event_id value")


class Torn(ValueError):
    """These bytes are not whole outbox records."""


class _Cut:
    """What is left of one record."""

    def __init__(self, data, at, end):
        self.data, self.at, self.end = data, at, end

    def take(self, length):
        if length > self.end - self.at:
            raise Torn(f"{length} bytes are wanted and {self.end - self.at} are there")
        self.at += length
        return self.data[self.at - length:self.at]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if not byte & 0x80:
                return value
            shift += 7
            if shift > 63:
                raise Torn("a number does not end")

    def zigzag(self):
        value = self.varint()
        return (value >> 1) ^ -(value & 1)


def _record(data, at, end):
    cut = _Cut(data, at, end)
    version, topic, has = cut.take(3)
    if version != VERSION or topic >= len(TOPICS):
        raise Torn(f"version {version}, topic {topic}")
    partition = cut.zigzag()
    cut.zigzag()  # the timestamp
    event_id = cut.take(16) if has & HAS_EVENT_ID else None
    if has & HAS_CAUSED_BY:
        cut.take(16)
    value = cut.take(cut.varint()) if has & HAS_VALUE else None
    key = None
    if has & KEY_IS_IN_VALUE:
        length, place = cut.varint(), cut.varint()
        if value is None or place + length > len(value):
            raise Torn("the key does not lie in the value")
        key = value[place:place + length]
    elif has & HAS_KEY:
        key = cut.take(cut.varint())
    for _ in range(cut.varint()):
        cut.take(cut.varint())
        length = cut.varint()
        cut.take(length - 1 if length else 0)
    if cut.at != end:
        raise Torn(f"{end - cut.at} bytes are left over")
    return Output(TOPICS[topic], partition, key, event_id, value)


def records(data):
    """All records of one batch, in their order."""
    at, found = 0, []
    while at < len(data):
        if len(data) - at < 4:
            raise Torn("a record's size is cut off")
        end = at + 4 + int.from_bytes(data[at:at + 4], "little")
        if end > len(data):
            raise Torn("a record is cut off")
        found.append(_record(data, at + 4, end))
        at = end
    return found
