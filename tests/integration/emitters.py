"""The worker's sink alone as a process that emits one transaction at a time (tests/faults/emitter.c)."""
import collections
import subprocess

from world import PROGRAM, environment

PROGRAM_OF_EMITTERS = PROGRAM.parent / "tests" / "emitter"
# `kind`: done, burnt, lost or away, as the sink said; `fenced`: a burn for which somebody else's epoch was to blame.
Outcome = collections.namedtuple("Outcome", "kind is_fenced took_ms")


class Emitter:
    """Has a topic prefix, a group and a transactional id of its own; lane 0 is its only lane."""

    def __init__(self, address, log, transaction_timeout_ms=10000):
        with open(log, "ab") as errors:
            self.process = subprocess.Popen([PROGRAM_OF_EMITTERS, str(transaction_timeout_ms)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=errors, text=True, bufsize=1, env={**environment(), "BOOKING_TEST_KAFKA": address})
        self.prefix, self.group, self.transactional_id, self.client_id = self.hear().split()

    def tell(self, command):
        self.process.stdin.write(command + "\n")

    def hear(self):
        line = self.process.stdout.readline()
        assert line, f"the emitter has ended with {self.process.wait(30)}"
        return line.strip()

    def heard_outcome(self):
        kind, fenced, took_us = self.hear().split()
        return Outcome(kind, fenced == "fenced", int(took_us) / 1000)

    def emit(self, w, count):
        self.tell(f"emit {w} {count}")
        return self.heard_outcome()

    def w(self):
        """None while nothing was ever committed."""
        self.tell("read")
        said = self.hear()
        while said == "away":
            self.tell("read")
            said = self.hear()
        return None if said == "none" else int(said)

    def close(self):
        """True when it ended in order."""
        self.process.stdin.close()
        return self.process.wait(60) == 0
