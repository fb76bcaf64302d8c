"""The command line of tests/faults/run: plays scenarios and sums up what came of them."""
import argparse
import collections
import json
import pathlib
import random
import shutil
import signal
import statistics
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
for folder in (HERE, HERE.parent / "integration", HERE.parent / "lib", HERE.parents[1] / "deploy" / "lib"):
    sys.path.insert(0, str(folder))

import canaries  # noqa: E402
import checker  # noqa: E402
import scenario as scenarios  # noqa: E402
from proxies import Proxies  # noqa: E402
from servers import Servers  # noqa: E402
from stage import Stage  # noqa: E402

import workers  # noqa: E402,F401  # (they enter themselves into scenarios.ALL)
import brokers  # noqa: E402,F401
import databases  # noqa: E402,F401

STARTED = time.monotonic()
HELP = """tests/faults/run - break real servers and real workers, and check that nothing is lost, doubled or out of order

  tests/faults/run                             each scenario once
  tests/faults/run workers-killed-at-random    one of them; more names may follow
  tests/faults/run --minutes 60 --seed 7       scenarios chosen by the seed until the time is over
  tests/faults/run --short                     the few that tests/run plays
  tests/faults/run --list                      all of them, with a sentence each

Three Kafka brokers (replication factor 3, min.insync.replicas 2), a Postgres primary with a synchronous standby, three workers
(a release build with points to die at), and a producer that records what it sent. Each round has topics and a database of its
own; at its end all must be at rest and right (tests/faults/checker.py). A failing round keeps its directory, and says which.
Ends with a table, with 0 when nothing was found and with 1 when something was."""


def say(text):
    print(f"[{int(time.monotonic() - STARTED):4d} s] {text}", file=sys.stderr, flush=True)


class Sums:
    """What came of one scenario's rounds."""

    COUNTS = ("rounds", "faults", "events", "outputs", "failed")

    def __init__(self, known=None):
        """`known`: as in a report of earlier runs."""
        known = known or {}
        for name in self.COUNTS:
            setattr(self, name, known.get(name, 0))
        self.findings = collections.Counter(known.get("findings", {}))
        self.times = list(known.get("times_s", ()))

    def include(self, other):
        for name in self.COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.findings.update(other.findings)
        self.times += other.times

    def add(self, stage, found):
        self.rounds += 1
        self.faults += stage.faults
        self.events += stage.events
        self.outputs += stage.outputs_seen
        self.times += stage.times
        if found is None or found:
            self.failed += 1
        if found:
            self.findings.update(found.counts)

    def report(self):
        return {**{name: getattr(self, name) for name in self.COUNTS}, "findings": dict(self.findings),
                "times_s": [round(seconds, 2) for seconds in self.times]}

    def line(self, name):
        back = f"{statistics.median(self.times):.1f} s / {max(self.times):.1f} s" if self.times else "–"
        harm = " | ".join(str(self.findings[kind]) for kind in (checker.LOST, checker.DOUBLED, checker.DISORDER))
        return (f"| {name} | {self.faults:,} | {self.events:,} | {harm} | {back} |"
                + (f" {self.failed} of {self.rounds} rounds failed" if self.failed else ""))


def table(sums):
    """Markdown, one line per scenario and one for all."""
    lines = ["| scenario | faults | events | lost | doubled | out of order | back to work, p50 / max |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    whole = Sums()
    for name, part in sorted(sums.items()):
        lines.append(part.line(name))
        whole.include(part)
    lines.append(whole.line("all"))
    return "\n".join(lines)


class Suite:
    """Servers for all rounds, and the rounds."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="booking-faults."))
        self.directory.chmod(0o755)
        self.sums, self.rounds = {}, 0  # of this run
        self.has_secret_in_log = False  # of a server
        say(f"starting three brokers and two Postgres servers in {self.directory}")
        self.servers = Servers(self.directory)
        self.proxies = Proxies(self.servers)

    def play(self, chosen, seed, count):
        """One round; true when nothing was found."""
        sums = self.sums.setdefault(chosen.name, Sums())
        self.rounds += 1
        directory = self.directory / f"{self.rounds}-{chosen.name}"
        say(f"{chosen.name}, seed {seed}: {count} faults")
        stage, found = Stage(directory, self.servers, chosen, seed, self.proxies if chosen.is_proxied else None), None
        try:
            stage.open(self.arguments.rate)
            trouble = self.inject(stage, count)
            stage.heal()
            found = stage.finish()
            if trouble:
                found.add(checker.STUCK, trouble)
            for place in canaries.find([directory])[1]:
                found.add(checker.SECRET, place)
        except Exception:  # pylint: disable=broad-except  # a round that breaks is a failed round
            traceback.print_exc()
        except BaseException:  # told to leave
            stage.close()
            raise
        sums.add(stage, found)
        for note, times in stage.notes.items():
            say(f"{note}, {times} times")
        say(f"{stage.faults} faults, {stage.events:,} events, back to work after {max(stage.times, default=0):.1f} s at most: "
            + (str(found) if found is not None else "FAILED"))
        if found is not None and not found:
            self.clean(stage)
            return True
        say(f"WRONG: {chosen.name} with --seed {seed}; its logs are kept in {directory}")
        self.clean(stage, keep=True)
        return False

    def inject(self, stage, count):
        """At least so many faults, and at least so many events. What a scenario waited for in vain is returned: the round is
        checked all the same."""
        try:
            stage.scenario.act(stage, count)
            while stage.events < self.arguments.events:
                stage.scenario.act(stage, max(1, count // 4))
        except AssertionError as error:
            return str(error)
        return None

    def clean(self, stage, keep=False):
        """The next round finds everything as it was."""
        self.proxies.calm()
        self.servers.heal()
        try:
            stage.close()
        except Exception:  # pylint: disable=broad-except  # what a broken round leaves is not the next one's matter
            traceback.print_exc()
        if not keep:
            shutil.rmtree(stage.directory)

    def close(self):
        say("stopping the servers")
        self.proxies.close()
        for server_log in self.directory.glob("postgres-*/data/server.log"):
            shutil.copy(server_log, server_log.parents[1] / "server.log")
        self.servers.close()
        for place in canaries.find([self.directory])[1]:
            self.has_secret_in_log = True
            say(f"WRONG: a secret or what a person wrote is in a log: {place}")
        if self.has_secret_in_log or any(part.failed for part in self.sums.values()):
            for data in self.directory.glob("**/data"):
                shutil.rmtree(data, ignore_errors=True)
            say(f"logs are kept in {self.directory}")
        elif not self.arguments.keep:
            shutil.rmtree(self.directory)


def rounds(arguments):
    """Yields (scenario, seed, faults)."""
    numbers = random.Random(arguments.seed)
    names = arguments.scenario or [name for name, one in scenarios.ALL.items() if one.few or not arguments.short]

    def faults(chosen):
        return arguments.faults or (arguments.short and chosen.few) or chosen.count
    if not arguments.minutes:
        for name in names:
            yield scenarios.ALL[name], arguments.seed, faults(scenarios.ALL[name])
        return
    until, left = time.monotonic() + 60 * arguments.minutes, []
    while time.monotonic() < until:
        left = left or numbers.sample(names, len(names))
        chosen = scenarios.ALL[left.pop()]
        yield chosen, numbers.getrandbits(30), faults(chosen)


def read_arguments():
    parser = argparse.ArgumentParser(prog="tests/faults/run", description=HELP, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="*", help="names from --list")
    parser.add_argument("--seed", type=int, default=1, help="what is broken, and when (1)")
    parser.add_argument("--minutes", type=float, help="so long, instead of each scenario once; with names, only those")
    parser.add_argument("--events", type=int, default=0, help="go on with a round until it has so many events")
    parser.add_argument("--faults", type=int, help="so many per round instead of the scenario's own number")
    parser.add_argument("--rate", type=int, help="events per second that are sent at most (1000; with --short 500)")
    parser.add_argument("--short", action="store_true", help="few faults a round; without names, only the scenarios of tests/run")
    parser.add_argument("--report", type=pathlib.Path, help="directory for faults.json and faults.md; adds to what earlier runs left there")
    parser.add_argument("--keep", action="store_true", help="keep the servers' logs also when all is well")
    parser.add_argument("--list", action="store_true", help="name the scenarios")
    arguments = parser.parse_args()
    arguments.rate = arguments.rate or (500 if arguments.short else 1000)
    unknown = [name for name in arguments.scenario if name not in scenarios.ALL]
    if unknown:
        print(f"tests/faults/run: there is no scenario {unknown[0]}; --list names them", file=sys.stderr)
        sys.exit(64)
    return arguments


def report(directory, sums):
    """Adds this run to what the directory has of earlier ones."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "faults.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    whole = {name: Sums(part) for name, part in known.items()}
    for name, part in sums.items():
        whole.setdefault(name, Sums()).include(part)
    path.write_text(json.dumps({name: part.report() for name, part in whole.items()}) + "\n", encoding="utf-8")
    (directory / "faults.md").write_text(table(whole) + "\n", encoding="utf-8")


def main():
    arguments = read_arguments()
    if arguments.list:
        for chosen in scenarios.ALL.values():
            print(f"{chosen.name:28} {chosen.says}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    suite = Suite(arguments)
    passed = failed = 0
    try:
        for chosen, seed, count in rounds(arguments):
            if suite.play(chosen, seed, count):
                passed += 1
            else:
                failed += 1
    finally:
        suite.close()
        passed, failed = passed + (not suite.has_secret_in_log), failed + suite.has_secret_in_log
        if suite.sums:
            print(table(suite.sums))
            if arguments.report:
                report(arguments.report, suite.sums)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
