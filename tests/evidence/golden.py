"""Golden files: what a program says, kept in the tree, so that a diff of it is a change of the process."""
import difflib
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DIFFERENCES_SHOWN = 60


def differences(path, text, renewal):
    """How the golden file differs from `text`, as lines for a person; none when it does not."""
    full = os.path.join(ROOT, path)
    golden = ""
    if os.path.exists(full):
        with open(full, encoding="utf-8") as file:
            golden = file.read()
    if golden == text:
        return []
    lines = list(difflib.unified_diff(golden.splitlines(), text.splitlines(), path, "as the program has it", "", "", 1, ""))
    rest = [f"… and {len(lines) - DIFFERENCES_SHOWN} lines more"] if len(lines) > DIFFERENCES_SHOWN else []
    return lines[:DIFFERENCES_SHOWN] + rest + [f"{path} is not what the program says. If that is meant: {renewal}"]


def renew(path, text):
    with open(os.path.join(ROOT, path), "w", encoding="utf-8") as file:
        file.write(text)
