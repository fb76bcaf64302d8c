"""Rounds of the benchmark and their table; tests/bench/run starts it with the servers up. Times only what it names: making
events, preloading and counting lie outside."""
import argparse
import collections
import json
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "deploy" / "lib"), str(ROOT / "tests" / "integration")]

import psycopg  # noqa: E402

import latency  # noqa: E402
from broker import OUTPUTS  # noqa: E402
from confluent_kafka import Consumer, TopicPartition  # noqa: E402
from inputs import WAVE, count_events, count_outputs, make_inputs, write_events  # noqa: E402
from load import POLICY, play  # noqa: E402
from processes import cpu_seconds, cpu_seconds_with_children, peak_memory_mib  # noqa: E402
from world import World  # noqa: E402

LANES = 4
PACED_SECONDS = 10
IDLE_EVENTS = 200
QUIET_SECONDS = 3
WARM_UP_EVENTS = 50_000
Servers = collections.namedtuple("Servers", "directory kafka postgres")


def say(text):
    print(f"           {text}", file=sys.stderr, flush=True)


def total_of(page, name):
    """The sum of a metric over its labels."""
    return sum(float(sample.rsplit(" ", 1)[1]) for sample in page.splitlines() if sample.startswith((name + "{", name + " ")))


class Bench:
    """The servers, the inputs, and one measurement after another."""

    def __init__(self, directory, alone, events):
        self.directory, self.alone = directory, alone
        self.servers = Servers(directory, *((directory / name / "address").read_text(encoding="utf-8").strip()
                                            for name in ("kafka", "postgres")))
        self.broker_pid, self.postmaster_pid = (int((directory / name / "pid").read_text(encoding="utf-8"))
                                                for name in ("kafka", "postgres"))
        say("encoding events")
        self.orders = make_inputs(events)
        self.events, self.outputs = count_events(self.orders), count_outputs(self.orders)
        self.file = directory / "events"
        write_events(self.orders, self.file)

    def world(self, name):
        place = self.directory / name
        place.mkdir()
        return World(place, self.servers, LANES, POLICY)

    def checkpoint(self):
        """So that no round pays for the one before."""
        with psycopg.connect(self.servers.postgres, autocommit=True) as admin:
            admin.execute("CHECKPOINT")

    def per_100k(self, seconds):
        return seconds * 100_000 / self.events

    def postgres_alone(self, number):
        world = self.world(f"round-{number}-a")
        config = world.directory / "alone.yaml"
        config.write_text(json.dumps(world.configuration()), encoding="utf-8")
        self.checkpoint()
        with subprocess.Popen([self.alone, config, self.file, str(LANES)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True) as process:
            if process.stdout.readline().strip() != "ready":
                raise SystemExit("postgres_alone did not get ready")
            before = cpu_seconds_with_children(self.postmaster_pid)
            process.stdin.write("go\n")
            process.stdin.flush()
            result = json.loads(process.stdout.readline() or "{}")
            postgres = cpu_seconds_with_children(self.postmaster_pid) - before
            process.stdin.write("go\n")
        if process.returncode != 0:
            raise SystemExit("postgres_alone failed")
        if (result["history_rows"], result["outputs"]) != (self.events, sum(self.outputs.values())):
            raise SystemExit(f"postgres_alone replayed something else than {self.events} events: {result}")
        say(f"a: {result['writes']} writes, {result['loads']} loads, {result['outbox_bytes'] / self.events:.0f} B of outbox an event")
        return {"events/s": self.events / result["seconds"], "client": self.per_100k(result["client_cpu_seconds"]),
                "postgres": self.per_100k(postgres)}

    def end_to_end(self, number):
        world = self.world(f"round-{number}-b")
        try:
            say("b: preloading")
            play(world.upstream, self.orders, WAVE)
            self.checkpoint()
            say("b: running")
            postgres, broker = cpu_seconds_with_children(self.postmaster_pid), cpu_seconds(self.broker_pid)
            worker = world.worker(kafka={"session_timeout": "10s"})
            seconds = self.await_outputs(worker)
            result = {"events/s": self.events / seconds, "worker": self.per_100k(cpu_seconds(worker.process.pid)),
                      "postgres": self.per_100k(cpu_seconds_with_children(self.postmaster_pid) - postgres),
                      "broker": self.per_100k(cpu_seconds(self.broker_pid) - broker),
                      "memory": peak_memory_mib(worker.process.pid)}
            self.describe(worker)
            say("b: counting")
            result["outputs"] = self.count_outputs(world)
            self.end(world, worker)
            return result
        finally:
            world.close()

    @staticmethod
    def end(world, worker):
        """What was measured was the right work: nothing that Postgres holds disagrees with itself."""
        if worker.stop(60) != 0:
            raise SystemExit(f"the worker ended with {worker.process.returncode}:\n{worker.tail()}")
        try:
            said = world.command("audit", seconds=600).splitlines()[-1]
        except AssertionError as error:
            raise SystemExit(str(error)) from None
        say(said)

    def await_outputs(self, worker):
        """Seconds from the last look that saw no record done to the first that saw all outputs committed. Where nobody knows
        whether a transaction went through, its outputs are not counted: then it is over when no batch waits for Kafka."""
        total, begun, quiet, limit = sum(self.outputs.values()), None, None, time.monotonic() + 300
        while time.monotonic() < limit:
            if not worker.is_running():
                raise SystemExit(f"the worker ended with {worker.process.returncode}:\n{worker.tail()}")
            looked, page = time.monotonic(), worker.get("/metrics")[1]
            done = total_of(page, "booking_records_total")
            if done == 0:
                begun = looked
            elif total_of(page, "booking_outputs_total") >= total:
                return time.monotonic() - begun
            is_quiet = done >= self.events and total_of(page, "booking_lane_unemitted_batches") == 0
            quiet = (quiet or looked) if is_quiet else None
            if quiet and looked - quiet > QUIET_SECONDS:
                return quiet - begun
            time.sleep(0.05)
        raise SystemExit(f"the worker has not written {total} outputs in 5 minutes:\n{worker.get('/readyz?verbose')[1]}{worker.tail()}")

    @staticmethod
    def describe(worker):
        batches, events = worker.metric("booking_batch_events_count"), worker.metric("booking_batch_events_sum")
        steps = {step: worker.metric("booking_batch_step_seconds_sum", step=step) for step in ("load", "decide", "postgres", "kafka")}
        say(f"b: {batches:.0f} batches of {events / max(batches, 1):.0f}; seconds by step: "
            + ", ".join(f"{step} {seconds:.2f}" for step, seconds in steps.items())
            + f"; transactions: {worker.metric('booking_kafka_transactions_total', result='committed'):.0f} committed, "
              f"{worker.metric('booking_kafka_transactions_total', result='burnt'):.0f} burnt")

    def count_outputs(self, world):
        """All that a read_committed consumer finds: the right number on each topic, no event id twice. The brokers show a
        transaction a little later than they confirm it, and one output too many would come late too."""
        consumer = Consumer({"bootstrap.servers": self.servers.kafka, "group.id": "count", "isolation.level": "read_committed",
                             "enable.auto.commit": False})
        consumer.assign([TopicPartition(world.prefix + suffix, lane, 0) for suffix in OUTPUTS for lane in range(LANES)])
        counts, ids, total, limit = collections.Counter(), set(), sum(self.outputs.values()), time.monotonic() + 60
        while True:
            messages = consumer.consume(10_000, QUIET_SECONDS if sum(counts.values()) >= total else 0.5)
            if not messages and (sum(counts.values()) >= total or time.monotonic() > limit):
                break
            for message in messages:
                if message.error() is not None:
                    raise SystemExit(f"outputs cannot be counted: {message.error()}")
                counts[message.topic().removeprefix(world.prefix)] += 1
                ids.update((message.topic(), value) for name, value in message.headers() if name == "ce_id")
        consumer.close()
        if counts != self.outputs or len(ids) != sum(counts.values()):
            raise SystemExit(f"outputs are not what they must be: {dict(counts)} with {len(ids)} ids instead of {dict(self.outputs)}")
        return sum(counts.values())

    def latencies(self, number, rate):
        world = self.world(f"round-{number}-c")
        try:
            worker = world.worker(kafka={"session_timeout": "10s"}).wait_ready()
            rare = max(1, min(IDLE_EVENTS, self.events // 100))
            rest = self.orders[rare:]
            wanted = max(1, min(len(rest), round(rate * PACED_SECONDS * len(self.orders) / self.events)))
            say(f"latency: {rare} single events, then {rate:,.0f} events/s")
            single = latency.idle(world, self.orders, rare)
            paced, reached = latency.paced(world, rest[:wanted], rate)
            self.end(world, worker)
            return {"reached": reached, "paced p50": latency.quantile(paced, 0.5), "paced p99": latency.quantile(paced, 0.99),
                    "idle p50": latency.quantile(single, 0.5), "idle p99": latency.quantile(single, 0.99)}
        finally:
            world.close()


def line(label, values, form="{:,.0f}", unit=""):
    cells = "".join(f"{form.format(value):>12}" for value in values)
    return f"{label:<46}{cells}{form.format(statistics.median(values)):>12} {unit}".rstrip()


def print_table(bench, alone, full, slow):
    def row(label, rounds, key, form="{:,.0f}", unit=""):
        print(line(label, [result[key] for result in rounds], form, unit))

    numbers = "".join(f"{f'round {number + 1}':>12}" for number in range(len(alone)))
    print(f"\n{bench.events:,} events of {len(bench.orders):,} orders, {LANES} partitions, one worker\n")
    print(f"{'':<46}{numbers}{'median':>12}")
    row("a  Postgres alone", alone, "events/s", unit="events/s")
    row("   CPU: who asks", alone, "client", "{:.2f}", "s per 100,000 events")
    row("   CPU: Postgres", alone, "postgres", "{:.2f}", "s per 100,000 events")
    row("b  worker end to end", full, "events/s", unit="events/s")
    row("   CPU: worker", full, "worker", "{:.2f}", "s per 100,000 events")
    row("   CPU: Postgres", full, "postgres", "{:.2f}", "s per 100,000 events")
    row("   CPU: broker", full, "broker", "{:.2f}", "s per 100,000 events")
    row("   outputs, each once (read_committed)", full, "outputs")
    row("   peak memory of the worker", full, "memory", "{:.0f}", "MiB")
    row("   at half speed", slow, "reached", unit="events/s")
    row("   event to output, p50", slow, "paced p50", "{:.1f}", "ms")
    row("   event to output, p99", slow, "paced p99", "{:.1f}", "ms")
    row("   idle: event to output, p50", slow, "idle p50", "{:.1f}", "ms")
    row("   idle: event to output, p99", slow, "idle p99", "{:.1f}", "ms")
    ratios = [b["events/s"] / a["events/s"] for a, b in zip(alone, full)]
    print(f"\nratio b/a: min {min(ratios):.2f}, median {statistics.median(ratios):.2f}, max {max(ratios):.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--alone", type=pathlib.Path, required=True)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    arguments = parser.parse_args()
    if arguments.events >= WARM_UP_EVENTS:
        say("warming the broker up: its first minute is another program's")
        Bench(arguments.directory, arguments.alone, WARM_UP_EVENTS).end_to_end(0)
    bench = Bench(arguments.directory, arguments.alone, arguments.events)
    alone, full, slow = [], [], []
    for number in range(1, arguments.rounds + 1):
        say(f"round {number} of {arguments.rounds}")
        alone.append(bench.postgres_alone(number))
        say(f"a: {alone[-1]['events/s']:,.0f} events/s")
        full.append(bench.end_to_end(number))
        say(f"b: {full[-1]['events/s']:,.0f} events/s")
        slow.append(bench.latencies(number, full[-1]["events/s"] / 2))
    print_table(bench, alone, full, slow)


if __name__ == "__main__":
    main()
