#!/usr/bin/env python3
"""Checks that every rule of the process has rows and scenarios, every row a rule and a scenario, and every id an owner.

  tests/evidence/evidence.py           # compares EVIDENCE.md with what the program says; exit 1 and one line per finding
  tests/evidence/evidence.py --renew   # writes EVIDENCE.md anew, when nothing is missing
"""
import argparse
import os
import sys

from findings import find_all
from golden import ROOT, differences, renew
from render import render
from sources import read_evidence

GOLDEN = "tests/evidence/EVIDENCE.md"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/booking-worker"),
                        help="the booking-worker to ask (build/release/booking-worker)")
    parser.add_argument("--renew", action="store_true", help="write the golden file")
    options = parser.parse_args()
    if not os.access(options.program, os.X_OK):
        parser.error(f"there is no program {options.program}; build it, or name one with --program")
    try:
        evidence = read_evidence(ROOT, os.path.abspath(options.program))
    except RuntimeError as error:
        sys.exit(str(error))
    found = find_all(evidence)
    if not options.renew:
        found += differences(GOLDEN, render(evidence), "tests/evidence/evidence.py --renew")
    elif found:
        found.append(f"{GOLDEN} is not renewed before this is mended")
    else:
        renew(GOLDEN, render(evidence))
    print("\n".join(found) if found else
          f"{len(evidence.rules)} rules, {len(evidence.rows)} rows, {len(evidence.scenarios)} scenarios: nothing is missing")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
