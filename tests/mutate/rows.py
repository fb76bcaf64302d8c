"""The places of the transition table: its rows, and what each of them says."""

import re

from lexer import Source
from mutants import Finder, Mutant

LISTS = {'when': 'guard', 'then': 'update'}
# What a value becomes, where any other one would do: its neighbour in the enum, told by an example of each kind.
OTHERS = {
    'STAGE': ['STAGE_CANCELLED', 'STAGE_CLOSED'],
    'REASON': ['REASON_WRONG_STAGE', 'REASON_STALE'],
    'ALERT': ['ALERT_REFUND_FAILED', 'ALERT_EXTERNAL_MONEY'],
    'CUSTOMER': ['CUSTOMER_REMINDER', 'CUSTOMER_REMINDER'],
    'PROVIDER': ['PROVIDER_REMINDER', 'PROVIDER_REMINDER'],
}


class RowFinder(Finder):
    """Rows are read as the sentences that they are: '.field = value', in braces, at the depth of the table's list."""

    def rows(self) -> list[tuple[int, int]]:
        """First and last token of each row, its braces."""
        rows = []
        for i, token in enumerate(self.tokens):
            if token.text == '{' and self.tokens[i + 2].text == 'rule' and self.tokens[i + 4].kind == 'string':
                rows.append((i, self.source.partner[i]))
        return rows

    def find_rows(self) -> None:
        for first, last in self.rows():
            self.rule = self.tokens[first + 4].text.strip('"')
            self.row = f'{self.rule}: {self.tokens[first + 9].text.strip(chr(34))}'
            # What is outside of 'rows' has the table for an owner: the sentence tells more.
            comma = self.tokens[last + 1]
            self._add(first, 'the row is dropped', (self.tokens[first].start, comma.end, ''))
            self._fields(first, last)

    def _add(self, i: int, operator: str, *edits: tuple[int, int, str]) -> None:
        self.add(i, operator, *edits, rule=self.rule, owner=self.row)

    def _fields(self, first: int, last: int) -> None:
        starts = [i for i in range(first + 1, last) if self.tokens[i].text == '.' and self._depth_is(first, i)]
        macros = self._macros(first, last)
        for i in starts:
            end = self._end_of_field(i + 3, last)
            self._field(self.tokens[i + 1].text, i, i + 3, end)
        for i in macros:
            self._macro(i, self._end_of_field(i + 1, last))

    def _depth_is(self, first: int, i: int) -> bool:
        return all(not (k < i < self.source.partner[k]) for k in range(first + 1, i) if self.tokens[k].text == '{')

    def _end_of_field(self, i: int, last: int) -> int:
        """The comma or brace after it."""
        while i < last and self.tokens[i].text != ',':
            i = self.source.partner[i] + 1 if self.tokens[i].text in ('(', '{') else i + 1
        return i

    def _macros(self, first: int, last: int) -> list[int]:
        """REFUSED = …, DEAD = …, DUPLICATE, ALERT = …, BOTH_…: fields under another name."""
        return [i for i in range(first + 1, last)
                if self.tokens[i].kind == 'name' and self.tokens[i - 1].text == ',' and self._depth_is(first, i)]

    def _without(self, i: int, end: int) -> tuple[int, int, str]:
        """A field, and the comma in front of it."""
        return self.tokens[i - 1].start, self.tokens[end - 1].end, ''

    def _field(self, name: str, i: int, value: int, end: int) -> None:
        if name in LISTS:
            self._list(LISTS[name], value, end)
        elif name in ('from', 'on', 'tell_customer', 'tell_provider'):
            self._set(name, i, value, end)
        elif name in ('to', 'via'):
            self._other(value, '.' + name)
            self._add(i, f'.{name} is left out', self._without(i, end))
        elif name in ('rule', 'via_rule'):
            new = '"N6"' if self.tokens[value].text != '"N6"' else '"N5"'
            self._add(value, f'.{name} {self.tokens[value].text} becomes {new}', (self.tokens[value].start, self.tokens[value].end, new))
            if name == 'via_rule':
                self._add(i, '.via_rule is left out', self._without(i, end))

    def _other(self, i: int, what: str) -> None:
        token = self.tokens[i]
        choices = OTHERS[token.text.split('_')[0]]
        new = choices[1] if token.text == choices[0] else choices[0]
        self._add(i, f'{what} {token.text} becomes {new}', (token.start, token.end, new))

    def _macro(self, i: int, end: int) -> None:
        word = self.tokens[i]
        self._add(i, f'{word.text} is left out', self._without(i, end))
        if word.text in ('REFUSED', 'DEAD', 'ALERT'):
            self._other(i + 2, word.text)
        if word.text in ('REFUSED', 'DUPLICATE', 'DEAD'):
            new = {'REFUSED': 'DEAD', 'DEAD': 'REFUSED', 'DUPLICATE': '.outcome = OUTCOME_REJECTED'}[word.text]
            self._add(i, f'{word.text} becomes {new}', (word.start, word.end, new))

    def _list(self, kind: str, brace: int, end: int) -> None:
        names = [k for k in range(brace + 1, end) if self.tokens[k].kind == 'name']
        for k in names:
            token = self.tokens[k]
            rest = [self.tokens[n].text for n in names if n != k] or ['NULL']
            place = self.tokens[brace].start, self.tokens[end - 1].end
            self._add(k, f'the {kind} {token.text} is dropped', (*place, '{' + ', '.join(rest) + '}'))
            if kind == 'guard':
                table = self.source.text.index('static const struct row table[]')
                negation = f'static bool turned_round(const struct change *change) {{ return !{token.text}(change); }} '
                self._add(k, f'the guard {token.text} is turned round', (table, table, negation), (token.start, token.end, 'turned_round'))
        for a, b in zip(names, names[1:]):
            one, two = self.tokens[a], self.tokens[b]
            self._add(a, f'{one.text} comes after {two.text}', (one.start, one.end, two.text), (two.start, two.end, one.text))

    def _set(self, name: str, i: int, value: int, end: int) -> None:
        """A | B | C: without each of them; a notice also as another one."""
        parts, first = [], value
        for k in range(value, end + 1):
            if k == end or (self.tokens[k].text == '|' and not self._in_brackets(value, k)):
                parts.append((first, k))
                first = k + 1
        if len(parts) == 1 and name.startswith('tell'):
            self._add(i, f'.{name} is left out', self._without(i, end))
        for n, (first, stop) in enumerate(parts):
            if len(parts) > 1:
                what = self.span(first, stop - 1)
                cut = (self.tokens[first].start, self.tokens[parts[n + 1][0]].start, '') if n + 1 < len(parts) else (
                    self.tokens[parts[n - 1][1]].start, self.tokens[stop - 1].end, '')
                self._add(first, f'.{name} is without {what}', cut)
            if name.startswith('tell'):
                self._other(first + 2, f'.{name}')

    def _in_brackets(self, first: int, i: int) -> bool:
        return any(self.tokens[k].text == '(' and k < i < self.source.partner[k] for k in range(first, i))


def find(source: Source) -> list[Mutant]:
    """The rows' own mutants, and of what stands around the table the usual ones."""
    finder = RowFinder(source)
    finder.find_rows()
    spans = [(source.tokens[a].start, source.tokens[b].end) for a, b in finder.rows()]

    def is_in_a_row(mutant: Mutant) -> bool:
        return any(start <= mutant.edits[0][0] < end for start, end in spans)

    usual = Finder(source)
    usual.find_tokens()
    usual.find_conditions()
    usual.find_statements()
    usual.find_fields()
    return finder.found + [mutant for mutant in usual.found if not is_in_a_row(mutant) and not re.match(r'#name', mutant.line_text)]
