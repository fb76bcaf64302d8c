#!/usr/bin/env python3
"""Checks that every sub-state of an order answers every event with one outcome, and that it is the one that is written down.

  tests/evidence/matrix.py           # compares matrix.txt with what the core does; exit 1 and one line per finding
  tests/evidence/matrix.py --renew   # writes matrix.txt anew, when nothing else is wrong
"""
import argparse
import os
import subprocess
import sys

from golden import ROOT, differences, renew

GOLDEN = "tests/evidence/matrix.txt"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/tests/evidence/evidence_matrix"),
                        help="the program that makes the matrix (build/release/tests/evidence/evidence_matrix)")
    parser.add_argument("--renew", action="store_true", help="write the golden file")
    parser.add_argument("--finds", metavar="WORDS", help="the core is spoilt on purpose: these words must be among the findings")
    options = parser.parse_args()
    if not os.access(options.program, os.X_OK):
        parser.error(f"there is no program {options.program}; build it, or name one with --program")
    done = subprocess.run([options.program], capture_output=True, text=True, check=False)
    *found, summary = done.stderr.splitlines() or ["it says nothing at all"]
    if done.returncode not in (0, 1):
        found.append(f"{options.program} ended with {done.returncode}: {summary}")
    if options.renew and not found:
        renew(GOLDEN, done.stdout)
    elif options.renew:
        found.append(f"{GOLDEN} is not renewed before this is mended")
    else:
        found += differences(GOLDEN, done.stdout, "tests/evidence/matrix.py --renew")
    print("\n".join([*found, summary]))
    if options.finds:
        sys.exit(0 if any(options.finds in finding for finding in found) else f"nothing was found about '{options.finds}'")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
