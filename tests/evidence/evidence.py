#!/usr/bin/env python3
"""Checks that every rule of the process has rows and scenarios, every row a rule and a scenario, and every id an owner.

  tests/evidence/evidence.py           # compares EVIDENCE.md with what the program says; exit 1 and one line per finding
  tests/evidence/evidence.py --renew   # writes EVIDENCE.md anew, when nothing is missing
  --program PATH                       # the booking-worker to ask (build/release/booking-worker)
"""
import argparse
import difflib
import os
import sys

from findings import find_all
from render import render
from sources import read_evidence

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
GOLDEN = "tests/evidence/EVIDENCE.md"
RENEWAL = "tests/evidence/evidence.py --renew"
DIFFERENCES_SHOWN = 60


def differences(text):
    """How the golden file differs, as lines for a person."""
    path = os.path.join(ROOT, GOLDEN)
    golden = open(path, encoding="utf-8").read() if os.path.exists(path) else ""
    lines = list(difflib.unified_diff(golden.splitlines(), text.splitlines(), GOLDEN, "as the program has it", "", "", 0, ""))
    if lines:
        lines = lines[:DIFFERENCES_SHOWN] + [f"{GOLDEN} is not what the program says. If that is meant: {RENEWAL}"]
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/booking-worker"))
    parser.add_argument("--renew", action="store_true")
    options = parser.parse_args()
    if not os.access(options.program, os.X_OK):
        parser.error(f"there is no program {options.program}; build it, or name one with --program")
    try:
        evidence = read_evidence(ROOT, os.path.abspath(options.program))
    except RuntimeError as error:
        sys.exit(str(error))
    found = find_all(evidence)
    text = render(evidence)
    if not options.renew:
        found += differences(text)
    elif found:
        found.append(f"{GOLDEN} is not renewed before this is mended")
    else:
        with open(os.path.join(ROOT, GOLDEN), "w", encoding="utf-8") as file:
            file.write(text)
    print("\n".join(found) if found else
          f"{len(evidence.rules)} rules, {len(evidence.rows)} rows, {len(evidence.scenarios)} scenarios: nothing is missing")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
