"""A read_committed consumer that keeps no more of each record than the checker needs: rounds of a hundred thousand events and
more would not fit into memory otherwise."""
import collections

from broker import Reader
from checker import Mark

STAGE_CHANGED = "stage-changed"


class Witness(Reader):
    """Reader, but without its records: `log`, `count` and each order's `sequences` instead."""

    def __init__(self, bootstrap, prefix, schemas, listener=None):
        self.schema = schemas[STAGE_CHANGED]
        self.log = collections.defaultdict(list)
        self.sequences = collections.defaultdict(list)
        self.count = 0
        super().__init__(bootstrap, prefix, None, listener=listener)
        for place in self.partitions:
            self.log.setdefault((place.topic[len(prefix):], place.partition), [])

    def _take(self, message):
        suffix, value = message.topic()[len(self.prefix):], message.value()
        key = message.key().decode("utf-8", "replace") if message.key() is not None else None
        event_id = next((bytes.fromhex(data.decode().replace("-", "")) for name, data in message.headers() or ()
                         if name == "ce_id"), None)
        with self.changed:
            self.log[suffix, message.partition()].append(Mark(key, event_id, hash(value)))
            self.count += 1
            if suffix == STAGE_CHANGED:
                try:
                    self.sequences[key].append(self.schema.decode(value)["sequence"])
                except Exception as error:  # pylint: disable=broad-except  # a decoder says many things
                    self.failure = f"a record on {suffix} cannot be decoded: {error}"
            self.changed.notify_all()
        if self.listener is not None and suffix == STAGE_CHANGED:
            self.listener(key)
