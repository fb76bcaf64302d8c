"""Slips of the pen in the transition table: a stage or an event too many or too few, the guard beside it, a row that came too early."""

import re

from lexer import Source
from mutants import Mutant
from rows import RowFinder
from slips import ROOT, as_slips, declarations

SETS = ('from', 'on')


class Sets:
    """What the table's .from and .on mean: its macros and enum, evaluated."""

    def __init__(self, text: str):
        self.stages, self.events = enum_values('stage'), enum_values('event_kind')
        self.deadlines = enum_values('deadline')
        bit = lambda n: 1 << n  # noqa: E731
        self.names = {**self.stages, **self.events, **self.deadlines, 'AT': bit, 'ON': bit,
                      'PASSED': lambda n: 1 << self.events['EVENT_DEADLINE'] + n}
        definitions = re.findall(r'^    ([A-Z_]+) = ([^,]+),$', text, re.M)
        definitions += re.findall(r'^#define ([A-Z_]+)[ \\\n]+(\(.*\))', text, re.M)
        while definitions:  # one may be made of a later one
            left = [(name, value) for name, value in definitions if not self._define(name, value)]
            if len(left) == len(definitions):
                break
            definitions = left

    def _define(self, name: str, value: str) -> bool:
        try:
            self.names[name] = eval(value, {'__builtins__': {}}, self.names)
        except (NameError, SyntaxError):
            return False
        return True

    def value(self, expression: str) -> int:
        return eval(expression.replace('\n', ' '), {'__builtins__': {}}, self.names)


def enum_values(name: str) -> dict[str, int]:
    for source in declarations():
        match = re.search(rf'^enum {name} \{{(.*?)\}};', source.text, re.M | re.S)
        if match:
            words = re.findall(r'^\s*([A-Z_]+)(?: = \w+)?,?', re.sub(r'/\*.*?\*/', '', match[1], flags=re.S), re.M)
            return {word: n for n, word in enumerate(words) if not word.endswith('_COUNT') and word != 'DEADLINE_NONE'}
    raise LookupError(f'there is no enum {name}')


def listed_neighbours() -> dict[str, str]:
    """Of each guard and each update the next one in its header's list, of the last the first."""
    found = {}
    for header in ('guards.h', 'updates.h'):
        names = re.findall(r'\bX\((\w+)\)', (ROOT / 'src/core' / header).read_text())
        names = [name for name in names if name != 'name' and name.islower()]
        found.update(zip(names, names[1:] + names[:1]))
    return found


class RowSlipFinder(RowFinder):
    def __init__(self, source: Source):
        super().__init__(source)
        self.sets, self.neighbours = Sets(source.text), listed_neighbours()

    def find_slips(self) -> None:
        rows = self.rows()
        about = [self._about(first, last) for first, last in rows]
        for n, (first, last) in enumerate(rows):
            self.rule = self.tokens[first + 4].text.strip('"')
            self.row = f'{self.rule}: {self.tokens[first + 9].text.strip(chr(34))}'
            self._change_sets(first, last)
            self._take_the_neighbour(first, last)
            later = next((k for k in range(n + 1, len(rows)) if self._compete(about[n], about[k])), None)
            if later is not None:
                self._exchange_rows(rows[n], rows[later])

    def _values(self, first: int, last: int) -> dict[str, tuple[int, int]]:
        """Of each field of a row its value's first token and the one behind it."""
        starts = [i for i in range(first + 1, last) if self.tokens[i].text == '.' and self._depth_is(first, i)]
        return {self.tokens[i + 1].text: (i + 3, self._end_of_field(i + 3, last)) for i in starts}

    def _about(self, first: int, last: int) -> tuple[int, int, bool]:
        values = self._values(first, last)
        stages, events = (self.sets.value(self.span(values[name][0], values[name][1] - 1)) for name in SETS)
        words = {self.tokens[i].text for i in range(first, last)}
        return stages, events, bool(words & {'DEAD', 'DUPLICATE'})

    def _compete(self, one: tuple[int, int, bool], two: tuple[int, int, bool]) -> bool:
        return bool(one[0] & two[0] and one[1] & two[1]) and one[2] == two[2]

    def _change_sets(self, first: int, last: int) -> None:
        for name, macro, kinds in (('from', 'AT', self.sets.stages), ('on', 'ON', self.sets.events)):
            a, b = self._values(first, last)[name]
            has = self.sets.value(self.span(a, b - 1))
            inside = [kind for kind, n in kinds.items() if has >> n & 1]
            parts = {part.strip() for part in self.span(a, b - 1).split('|')}  # what is named here rows.py takes out
            for kind in kinds:
                if kind in inside and len(inside) > 1 and not parts & {kind.removeprefix('STAGE_'), f'ON({kind})'}:
                    self._toggle(a, b, f'.{name} is without {kind}', f'& ~{macro}({kind})')
                elif kind not in inside and name == 'from' and kind != 'STAGE_NONE' and 'STAGE_NONE' not in inside:
                    self._toggle(a, b, f'.{name} has {kind}, too', f'| {macro}({kind})')

    def _toggle(self, a: int, b: int, what: str, change: str) -> None:
        place = self.tokens[a].start, self.tokens[b - 1].end
        self._add(a, what, (*place, f'({self.span(a, b - 1)}) {change}'))

    def _take_the_neighbour(self, first: int, last: int) -> None:
        for i in range(first, last):
            token = self.tokens[i]
            if token.kind == 'name' and token.text in self.neighbours:
                new = self.neighbours[token.text]
                self._add(i, f'{token.text} becomes {new}', (token.start, token.end, new))

    def _exchange_rows(self, one: tuple[int, int], two: tuple[int, int]) -> None:
        places = [(self.tokens[first].start, self.tokens[last].end) for first, last in (one, two)]
        texts = [self.span(*place) for place in (one, two)]
        says = self.tokens[two[0] + 9].text.strip('"')
        self._add(one[0], f'it changes places with "{says}"', (*places[0], texts[1]), (*places[1], texts[0]))


def find(source: Source) -> list[Mutant]:
    finder = RowSlipFinder(source)
    finder.find_slips()
    return as_slips(finder.found)
