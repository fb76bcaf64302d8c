"""Eight orders, played through the input topics as upstream services would, all at once, and checked against the output
topics and Postgres. Prints a line per story, then the lines 'ORDER TITLE' of all of them into a file.

    stories.py --bootstrap HOST:PORT --prefix PREFIX --postgres CONNINFO --orders FILE
"""
import argparse
import sys
import threading
import time

import psycopg

from broker import Reader, Upstream
from people import Story, Town, WrongOutcome
from wire import load_schemas

LEDGER = ("captured", "reversed", "refund_instructed", "refund_completed", "payout_instructed", "payout_completed")


# Each story says how it must end: (stage, money in euros that is not zero).
def happy_path(order):
    order.place(starts_in_s=5, lasts_s=1)
    order.provider("ConfirmOrder")
    order.pay_what_is_asked()
    order.stage("EXECUTION", "P3")
    order.until_start()
    order.provider("MarkDone")
    order.stage("EXECUTION_CONFIRMATION", "E8")
    order.customer("ConfirmExecution")
    order.stage("CLOSED", "V2")
    order.reports_done("Payout")
    order.event("PayoutCompleted")
    order.customer("ReviewOrder", rating=5, text="Spotless.")
    order.told("provider", "REVIEW")
    return "CLOSED", {"captured": 80, "payout_instructed": 80, "payout_completed": 80}


def edit_that_the_customer_confirms(order):
    order.place(starts_in_s=6, lasts_s=1)
    order.provider("EditOrder", price=order.euros(9500), comment="The flat is larger than described")
    order.told("customer", "CHANGES_PROPOSED")
    order.customer("ConfirmOrder", seen_revision=2)
    order.pay_what_is_asked()
    order.stage("EXECUTION", "P3")
    # Nobody says another word: both confirmations come from the clock.
    order.stage("EXECUTION_CONFIRMATION", "E9")
    order.stage("CLOSED", "V3")
    order.reports_done("Payout")
    order.event("PayoutCompleted")
    return "CLOSED", {"captured": 95, "payout_instructed": 95, "payout_completed": 95}


def confirmation_that_expires(order):
    order.place(starts_in_s=60, lasts_s=60)
    order.told("provider", "REMINDER")
    order.stage("CANCELLED", "C2")
    order.told("customer", "CANCELLED")
    return "CANCELLED", {}


def late_capture(order):
    order.place(starts_in_s=60, lasts_s=60)
    order.provider("ConfirmOrder")
    order.stage("CANCELLED", "P2")
    order.pay_what_is_asked()
    order.reports_done("Refund")
    order.told("customer", "REFUND_SENT")
    return "CANCELLED", {"captured": 80, "refund_instructed": 80, "refund_completed": 80}


def cancellation_that_becomes_a_request(order):
    order.place(starts_in_s=60, lasts_s=60)
    order.provider("ConfirmOrder")
    order.pay_what_is_asked()
    order.stage("EXECUTION", "P3")
    order.customer("CancelOrder", reason="I fell ill")
    order.told("provider", "CANCELLATION_REQUESTED")
    order.expect("the request alone must not cancel a paid order", order.changes()[-1]["to"] == "EXECUTION")
    order.provider("CancelOrder", reason="Get well soon")
    order.stage("CANCELLED")
    order.reports_done("Refund")
    order.told("customer", "REFUND_SENT")
    return "CANCELLED", {"captured": 80, "refund_instructed": 80, "refund_completed": 80}


def price_rise_with_top_up(order):
    order.place(starts_in_s=8, lasts_s=1)
    order.provider("ConfirmOrder")
    order.pay_what_is_asked()
    order.stage("EXECUTION", "P3")
    order.provider("EditOrder", price=order.euros(11000), comment="Windows too")
    order.told("customer", "CHANGES_PROPOSED")
    order.customer("ConfirmOrder", seen_revision=2)
    order.pay_what_is_asked(2)
    order.told("provider", "CHANGES_CONFIRMED")
    order.until_start()
    order.provider("MarkDone")
    order.stage("EXECUTION_CONFIRMATION", "E8")
    order.customer("ConfirmExecution")
    order.stage("CLOSED", "V2")
    order.reports_done("Payout")
    order.event("PayoutCompleted")
    return "CLOSED", {"captured": 110, "payout_instructed": 110, "payout_completed": 110}


def claim_with_a_partial_refund(order):
    order.place(starts_in_s=5, lasts_s=1)
    order.provider("ConfirmOrder")
    order.pay_what_is_asked()
    order.stage("EXECUTION", "P3")
    order.until_start()
    order.provider("MarkDone")
    order.stage("EXECUTION_CONFIRMATION", "E8")
    order.customer("OpenClaim", text="The kitchen was left out")
    order.told("provider", "CLAIM_OPENED")
    order.operator("ResolveClaim", refund=order.euros(3000), reason="Agreed with both sides")
    order.stage("CLOSED", "V5")
    order.reports_done("Refund")
    order.reports_done("Payout")
    order.event("RefundCompleted")
    order.event("PayoutCompleted")
    return "CLOSED", {"captured": 80, "refund_instructed": 30, "refund_completed": 30, "payout_instructed": 50, "payout_completed": 50}


def bad_bytes(order):
    order.place(starts_in_s=60, lasts_s=60)
    order.town.send_bytes("provider-actions", order.key, b"\xc3\x01 these bytes are of no schema")
    order.wait("the dead letter", lambda: order.town.reader.of("dead-letters", order.key))
    letter = order.town.reader.of("dead-letters", order.key)[0]
    order.expect("a dead letter has the bytes as they came", letter.raw == b"\xc3\x01 these bytes are of no schema")
    order.expect("a dead letter says why", "__connect.errors.exception.message" in letter.headers)
    order.provider("ConfirmOrder")  # the record after the bad one
    order.stage("PAYMENT", "C6")
    order.customer("CancelOrder", reason="Enough seen")
    order.stage("CANCELLED")
    return "CANCELLED", {}


STORIES = (
    ("The happy path", happy_path),
    ("A provider's edit that the customer confirms", edit_that_the_customer_confirms),
    ("A confirmation that expires", confirmation_that_expires),
    ("A late capture that is refunded", late_capture),
    ("A customer's cancel inside 24 h that becomes a request", cancellation_that_becomes_a_request),
    ("A price rise with a top-up", price_rise_with_top_up),
    ("A claim with a partial refund", claim_with_a_partial_refund),
    ("Bad bytes, and the order goes on", bad_bytes),
)


def check_against_postgres(story, conninfo, stage, money):
    """The row, its ledger and the history say the same as the topics."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        columns = ", ".join(f"{name}_minor" for name in LEDGER)
        row = connection.execute(f"SELECT stage, sequence, {columns} FROM booking.order_overview WHERE order_id = %s",
                                 (story.key,)).fetchone()
        (applied,) = connection.execute("SELECT count(*) FROM booking.order_timeline WHERE order_id = %s AND outcome = 'applied'",
                                        (story.key,)).fetchone()
    story.expect(f"Postgres has no order {story.key}", row is not None)
    story.expect(f"Postgres says {row[0]}, not {stage}", row[0] == stage)
    found = {name: minor / 100 for name, minor in zip(LEDGER, row[2:]) if minor}
    story.expect(f"Postgres' ledger says {found}, not {money}", found == money)
    story.wait(f"the StageChanged of sequence {row[1]}", lambda: any(change["sequence"] >= row[1] for change in story.changes()))
    # Topics are read independently of each other: the last notice may have been seen before the last StageChanged.
    story.wait(f"StageChanged {row[1]}", lambda: len(story.changes()) >= row[1])
    sequences = [change["sequence"] for change in story.changes()]
    story.expect(f"StageChanged has the sequence numbers {sequences}, not 1 … {row[1]}", sequences == list(range(1, row[1] + 1)))
    story.expect(f"the history has {applied} applied events, not {row[1]}", applied == row[1])
    story.expect(f"the last StageChanged says {story.changes()[-1]['to']}, not {stage}", story.changes()[-1]["to"] == stage)


class Play(threading.Thread):
    """One story on its own thread; all play at once, as orders do."""

    def __init__(self, town, title, script, conninfo):
        super().__init__(daemon=True)
        self.story, self.script, self.conninfo = Story(town, title), script, conninfo
        self.wrong, self.outcome, self.began = None, "", time.monotonic()

    def run(self):
        try:
            stage, money = self.script(self.story)
            check_against_postgres(self.story, self.conninfo, stage, money)
            self.outcome = ", ".join([stage, *(f"{name.replace('_', ' ')} {euros:.2f} EUR" for name, euros in money.items())])
        except (WrongOutcome, RuntimeError, psycopg.Error) as error:
            self.wrong = str(error)
        verdict = f"WRONG: {self.wrong}" if self.wrong else f"ok: {self.outcome}"
        print(f"  {time.monotonic() - self.began:4.1f} s  {self.story.title}: {verdict}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--bootstrap", "--prefix", "--postgres", "--orders"):
        parser.add_argument(name, required=True)
    arguments = parser.parse_args()
    schemas = load_schemas()
    reader = Reader(arguments.bootstrap, arguments.prefix, lambda suffix, data: schemas[suffix].decode(data))
    town = Town(Upstream(arguments.bootstrap, arguments.prefix), reader, schemas)
    reader.wait("the reader to find the topics empty", lambda: len(reader.read_up_to) == len(reader.partitions))
    plays = [Play(town, title, script, arguments.postgres) for title, script in STORIES]
    for play in plays:
        play.start()
    for play in plays:
        play.join()
    reader.read_to_the_end()
    with open(arguments.orders, "w", encoding="utf-8") as file:
        file.writelines(f"{play.story.key} {play.story.title}\n" for play in plays)
    letters, wrong = len(reader.of("dead-letters")), sum(1 for play in plays if play.wrong)
    print(f"  {len(plays)} orders, {len(reader.records)} output records, {letters} dead letter{'s' if letters != 1 else ''}")
    if letters != 1:
        print("  WRONG: one dead letter was to be expected")
    reader.close()
    sys.exit(1 if wrong or letters != 1 else 0)


if __name__ == "__main__":
    main()
