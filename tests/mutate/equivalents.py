"""The mutants that nobody can tell from the right code, each with the reason why."""

import re
from pathlib import Path
from typing import NamedTuple

from mutants import Mutant

PATH = Path(__file__).with_name('equivalent.txt')


class Equivalent(NamedTuple):
    key: str
    why: str
    line: int


class Wrong(Exception):
    """The list itself cannot be read."""


def read(path: Path = PATH) -> dict[str, Equivalent]:
    """A mutant's key on a line of its own, and below it, indented, why it cannot be seen. '#' starts a comment; '…' in a key
    stands for anything: then all that it fits are explained."""
    entries: dict[str, Equivalent] = {}
    key, line = '', 0
    for number, text in enumerate(path.read_text().splitlines(), 1):
        if not text.strip() or text.startswith('#'):
            continue
        if not text[0].isspace():
            if key and not entries[key].why:
                raise Wrong(f'{path.name}:{line}: say below it, indented, why nobody can see the difference')
            key, line = text.strip(), number
            if key in entries:
                raise Wrong(f'{path.name}:{number}: this mutant is listed twice')
            entries[key] = Equivalent(key, '', number)
        elif key:
            entries[key] = entries[key]._replace(why=f'{entries[key].why} {text.strip()}'.strip())
    if key and not entries[key].why:
        raise Wrong(f'{path.name}:{line}: say below it, indented, why nobody can see the difference')
    return entries


class Explained:
    """Which entry explains which mutant."""

    def __init__(self, entries: dict[str, Equivalent], mutants: list[Mutant]):
        patterns = [(re.compile('.*'.join(map(re.escape, key.split('…')))), entry) for key, entry in entries.items()]
        self.by_key: dict[str, Equivalent] = {}
        for mutant in mutants:
            for pattern, entry in patterns:
                if pattern.fullmatch(mutant.key):
                    self.by_key[mutant.key] = entry
        used = {entry.key for entry in self.by_key.values()}
        self.unknown = [entry for entry in entries.values() if entry.key not in used]  # for code that is no longer there
