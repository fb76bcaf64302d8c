"""Looks for canaries in logs: a word that stands in the tests' passwords and in what their people write, and that no log may have.

    canaries.py DIRECTORY|FILE…     looks through the files (*.log) and those below the directories; exit 1: one was found
"""
import pathlib
import sys

# In comments, reasons and claims of the tests' orders, and in the passwords of their servers.
WORD = "rotkehlchen"


def logs_below(directory):
    """A broker's segments are called logs, too, and hold all that was ever said."""
    return [log for log in directory.rglob("*.log") if not log.stem.isdigit()]


def find(paths):
    """(how many logs there were, where the word stands: "FILE:LINE")"""
    logs = sorted({log for path in map(pathlib.Path, paths) for log in (logs_below(path) if path.is_dir() else [path])})
    found = []
    for log in logs:
        with log.open("rb") as lines:
            found.extend(f"{log}:{number}" for number, line in enumerate(lines, 1) if WORD.encode() in line.lower())
    return len(logs), found


def main():
    count, found = find(sys.argv[1:])
    for place in found:
        print(f"{place}: a secret or what a person wrote is in a log", file=sys.stderr)
    print(f"{count} logs, {len(found)} lines with a canary", file=sys.stderr)
    if count == 0:
        print("there was nothing to look through: that proves nothing", file=sys.stderr)
    sys.exit(1 if found or count == 0 else 0)


if __name__ == "__main__":
    main()
