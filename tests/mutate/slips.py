"""Slips of the pen: the neighbour in an enum, the field beside it, arguments exchanged, a condition forgotten, a millisecond."""

import re
from functools import cache
from pathlib import Path

from lexer import Source, is_type
from mutants import Finder, Mutant

ROOT = Path(__file__).resolve().parents[2]
# What the core is about; where two of them have a field of the same name, the first one counts.
DECLARED = ('booking/order.h', 'booking/event.h', 'booking/process.h', 'booking/policy.h')
# What ends an operand of && and of ||, besides brackets: what binds less.
ENDS_OF_AND = {',', ';', '?', ':', '=', '&&', '||', 'return'}
ENDS_OF_OR = ENDS_OF_AND - {'&&'}
UNITS = {'SECOND_MS': 'MINUTE_MS', 'MINUTE_MS': 'HOUR_MS', 'HOUR_MS': 'DAY_MS', 'DAY_MS': 'HOUR_MS', 'INT64_MAX': 'INT64_MIN', 'INT64_MIN': 'INT64_MAX',
         'INT32_MAX': 'INT32_MIN'}
# Functions of which either argument may come first.
SYMMETRIC = {'instant_after', 'instant_earlier', 'instant_later', 'uuid_equal', 'text_equal', 'currency_equal'}
# Functions that are easily taken for each other.
TWINS = {'instant_earlier': 'instant_later', 'instant_later': 'instant_earlier'}


def declarations() -> list[Source]:
    return [Source(name, (ROOT / 'include' / name).read_text()) for name in DECLARED]


@cache
def enum_neighbours() -> dict[str, str]:
    """Of each value of an enum the next one, of the last the first; what only counts them is none."""
    found = {}
    for source in declarations():
        for i, token in enumerate(source.tokens[:-2]):
            if token.text != 'enum' or source.tokens[i + 2].text != '{':
                continue
            inside = range(i + 3, source.partner[i + 2])
            values = [source.tokens[k].text for k in inside if source.tokens[k].kind == 'name' and source.tokens[k - 1].text in ('{', ',')]
            values = [value for value in values if not value.endswith('_COUNT')]
            found.update(zip(values, values[1:] + values[:1]))
    return found


@cache
def field_neighbours() -> dict[str, str]:
    """Of each field of a struct the next one of the same type; a name that two structs have, as the first one says."""
    found: dict[str, str] = {}
    for source in declarations():
        for i, token in enumerate(source.tokens[:-2]):
            if token.text == 'struct' and source.tokens[i + 1].kind == 'name' and source.tokens[i + 2].text == '{':
                for names in fields_by_type(source, i + 3, source.partner[i + 2]).values():
                    for name, other in zip(names, names[1:] + names[:1]):
                        if name != other:
                            found.setdefault(name, other)
    return found


def fields_by_type(source: Source, first: int, last: int) -> dict[str, list[str]]:
    by_type: dict[str, list[str]] = {}
    start = first
    for i in range(first, last):
        if source.tokens[i].text != ';':
            continue
        words = source.tokens[start:i]
        names = [k for k, word in enumerate(words) if word.kind == 'name' and (k + 1 == len(words) or words[k + 1].text in (',', '['))]
        if names:
            kind = ' '.join(word.text for word in words[:names[0]])
            by_type.setdefault(kind, []).extend(words[k].text for k in names)
        start = i + 1
    return by_type


class SlipFinder(Finder):
    def words(self, first: int, last: int) -> str:
        """A span on one line, for a key."""
        return ' '.join(self.span(first, last).split())

    def find_slips(self) -> None:
        self.find_names()
        self.find_operands()
        self.find_elses()
        self.find_arguments()

    def find_names(self) -> None:
        tokens = self.tokens
        for i, token in enumerate(tokens):
            if token.kind != 'name' or i in self.asserted:
                continue
            before, after = tokens[i - 1].text if i else '', tokens[i + 1].text if i + 1 < len(tokens) else ''
            if before != 'case' and token.text in enum_neighbours() and not self._is_key(i):
                self.replace(i, enum_neighbours()[token.text])
            elif token.text in UNITS and not self._is_defined(i):
                self.replace(i, UNITS[token.text])
            elif token.text in TWINS:
                self.replace(i, TWINS[token.text])
            elif token.text == 'int64_t' and self.source.owner[i]:
                self.replace(i, 'int32_t')
            elif self._is_member(i) and after not in ('(', '[') and token.text in field_neighbours():
                self.replace(i, field_neighbours()[token.text], f'.{token.text} becomes .{field_neighbours()[token.text]}')
            if token.text.endswith('_ms') and self._is_value(i):
                self._shift(i)

    def _is_key(self, i: int) -> bool:
        """[KIND] = …: the place of a name in a list, where the next one would push another aside."""
        return self.tokens[i - 1].text == '[' and self.tokens[i + 1].text == ']' and self.tokens[i + 2].text == '='

    def _is_member(self, i: int) -> bool:
        """of->it or of.it, and not the .it of a braced list."""
        return self.tokens[i - 1].text == '->' or self.tokens[i - 1].text == '.' and self.tokens[i - 2].text not in ('{', ',')

    def _is_defined(self, i: int) -> bool:
        return self.source.line_text(self.source.line_of(self.tokens[i].start)).startswith(f'#define {self.tokens[i].text} ')

    def _is_value(self, i: int) -> bool:
        """An instant or a window that is read: neither declared nor set nor a field's name in a braced list."""
        if not self.source.owner[i] or is_type(self.tokens[i - 1].text):
            return False
        following = self.tokens[i + 1].text
        if following == '(':  # a call, unless it is the head of a function
            following = self.tokens[self.source.partner[i + 1] + 1].text
        return following not in ('=', '{', '[', '.', '->')

    def _shift(self, i: int) -> None:
        """A millisecond later or earlier: for what is compared or passed on, that is the other side of a bound."""
        last = self.source.partner[i + 1] if self.tokens[i + 1].text == '(' else i
        for word, change in (('more', ' + 1'), ('less', ' - 1')):
            self.add(i, f'{self.tokens[i].text} is a millisecond {word}', (self.tokens[last].end, self.tokens[last].end, change))

    # --- a condition that is forgotten ---

    def find_operands(self) -> None:
        for i, token in enumerate(self.tokens):
            if i in self.asserted or token.text not in ('&&', '||') or not self.source.is_binary(i):
                continue
            ends = ENDS_OF_AND if token.text == '&&' else ENDS_OF_OR
            neutral = '1' if token.text == '&&' else '0'
            first, last = self._left(i, ends), self._right(i, ends)
            if self.tokens[first - 1].text != token.text:  # else it is the right side of the one before
                self._forget(first, i - 1, neutral)
            self._forget(i + 1, last, neutral)

    def _forget(self, first: int, last: int, neutral: str) -> None:
        self.add(first, f'{self.words(first, last)} is forgotten', (self.tokens[first].start, self.tokens[last].end, neutral))

    def _left(self, i: int, ends: set[str]) -> int:
        k = i - 1
        while self.tokens[k].text not in ends | {'(', '[', '{'}:
            k = self.source.partner[k] - 1 if self.tokens[k].text in (')', ']', '}') else k - 1
        return k + 1

    def _right(self, i: int, ends: set[str]) -> int:
        k = i + 1
        while self.tokens[k].text not in ends | {')', ']', '}'}:
            k = self.source.partner[k] + 1 if self.tokens[k].text in ('(', '[', '{') else k + 1
        return k - 1

    # --- an else that is forgotten: both are done ---

    def find_elses(self) -> None:
        for i, token in enumerate(self.tokens):
            if token.text == 'else' and i not in self.asserted:
                self.add(i, 'else is forgotten', (token.start, token.end, ''))

    # --- arguments in the wrong order ---

    def find_arguments(self) -> None:
        for i, token in enumerate(self.tokens[:-1]):
            if (token.kind != 'name' or token.text in SYMMETRIC or self.tokens[i + 1].text != '(' or not self.source.owner[i] or i in self.asserted
                    or self.tokens[i - 1].kind == 'name' and self.tokens[i - 1].text not in ('return', 'else')):
                continue
            given = self._arguments(i + 1)
            for (a, b), (c, d) in zip(given, given[1:]):
                one, two = self.span(a, b), self.span(c, d)
                if one != two:
                    self.add(a, f'{token.text}: {self.words(a, b)} and {self.words(c, d)} are exchanged', (self.tokens[a].start, self.tokens[b].end, two),
                             (self.tokens[c].start, self.tokens[d].end, one))

    def _arguments(self, bracket: int) -> list[tuple[int, int]]:
        """First and last token of each."""
        close, found, first, k = self.source.partner[bracket], [], bracket + 1, bracket + 1
        while k < close:
            if self.tokens[k].text == ',':
                found.append((first, k - 1))
                first = k + 1
            k = self.source.partner[k] + 1 if self.tokens[k].text in ('(', '[', '{') else k + 1
        return [*found, (first, close - 1)] if close > bracket + 1 else []


def as_slips(found: list[Mutant]) -> list[Mutant]:
    for mutant in found:
        mutant.kind = 'slip'
    return found


def find(source: Source) -> list[Mutant]:
    finder = SlipFinder(source)
    finder.find_slips()
    return as_slips(finder.found)
