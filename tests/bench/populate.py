"""Lives of orders through the worker, chunk by chunk, while it runs; tests/bench/populate starts it with the servers up."""
import argparse
import collections
import json
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "deploy" / "lib"), str(ROOT / "tests" / "integration")]

import psycopg  # noqa: E402

from inputs import WAVE, count_events, count_outputs  # noqa: E402
from load import POLICY, make_orders, play  # noqa: E402
from world import World, until  # noqa: E402

Servers = collections.namedtuple("Servers", "directory kafka postgres")
LANES = 4
CHUNK = 20_000
# A hundred orders, five hundred events: most are over, every stage is there.
KINDS = (("paid_out",) * 40 + ("plain",) * 14 + ("edited",) * 20 + ("refunded",) * 8 + ("refused",) * 4
         + ("paid",) * 6 + ("done",) * 3 + ("to_pay",) * 2 + ("placed",) * 2 + ("claimed",))
ORDERS_A_PERSON = 20
HOURS = 12


def say(text):
    print(f"           {text}", file=sys.stderr, flush=True)


def chunks(count):
    """Lists of orders, the oldest first: so that a million need not be in memory at once."""
    people = max(2, count // ORDERS_A_PERSON)
    for begin in range(0, count, CHUNK):
        hours_ago = 2 + HOURS * (count - begin) // count
        yield make_orders(min(CHUNK, count - begin), KINDS, seed=begin + 1, hours_ago=hours_ago, people=people)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--orders", type=int, required=True)
    arguments = parser.parse_args()
    directory = arguments.directory
    kafka, postgres = ((directory / name / "address").read_text(encoding="utf-8").strip() for name in ("kafka", "postgres"))
    world = World(directory, Servers(directory, kafka, postgres), LANES, POLICY)
    worker = world.worker().wait_ready()
    begun, orders, events, outputs = time.monotonic(), 0, 0, collections.Counter()
    for chunk in chunks(arguments.orders):
        play(world.upstream, chunk, WAVE)
        orders, events = orders + len(chunk), events + count_events(chunk)
        outputs.update(count_outputs(chunk))
        say(f"{orders:,} orders, {events:,} events sent; {worker.metric('booking_records_total'):,.0f} done")
    until("the worker to be done", lambda: worker.metric("booking_records_total") >= events
          and worker.metric("booking_lane_unemitted_batches") == 0, 1200)
    seconds = time.monotonic() - begun
    if worker.stop(60) != 0:
        raise SystemExit(f"the worker ended with {worker.process.returncode}:\n{worker.tail()}")
    with psycopg.connect(world.admin_conninfo, autocommit=True) as admin:
        admin.execute("VACUUM ANALYZE")
        found = admin.execute("SELECT count(*), sum(sequence) FROM booking.orders").fetchone()
        written = admin.execute("SELECT sum(output_count) FROM booking.outbox").fetchone()[0]
    world.close()
    if found[0] != orders or written != sum(outputs.values()):
        raise SystemExit(f"{found[0]} orders and {written} outputs are there instead of {orders} and {sum(outputs.values())}")
    (directory / "address").write_text(world.admin_conninfo + "\n", encoding="utf-8")
    (directory / "booking-worker.yaml").write_text(json.dumps(world.configuration(), indent=2) + "\n", encoding="utf-8")
    say(f"{orders:,} orders, {events:,} events, {written:,} outputs in {seconds:,.0f} s ({events / seconds:,.0f} events/s)")
    print(world.admin_conninfo)


if __name__ == "__main__":
    main()
