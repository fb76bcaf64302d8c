"""The places at which C code can be changed, and what each becomes: comparisons, sums, constants, conditions, statements."""

from dataclasses import dataclass, field

from lexer import KEYWORDS, Source, is_type

SWAPS = {
    '<': ['<=', '>='], '<=': ['<', '>'], '>': ['>=', '<='], '>=': ['>', '<'], '==': ['!='], '!=': ['=='],
    '&&': ['||'], '||': ['&&'], '+': ['-'], '-': ['+'], '*': ['/'], '/': ['*'], '%': ['/'],
    '<<': ['>>'], '>>': ['<<'], '&': ['|'], '|': ['&'], '^': ['|'],
    '+=': ['-='], '-=': ['+='], '|=': ['&='], '&=': ['|='], '^=': ['|='], '*=': ['/='], '<<=': ['>>='], '>>=': ['<<='],
}


@dataclass
class Mutant:
    path: str
    owner: str            # the function that it is in, or the row of the table
    line: int
    line_text: str
    operator: str         # what is done, in words; with the line's text it is the mutant's identity
    edits: list[tuple[int, int, str]] = field(repr=False)
    rule: str = ''        # of the row of the table
    kind: str = 'change'  # 'slip': of slips.py or row_slips.py
    number: int = 1       # among those that are otherwise the same

    @property
    def key(self) -> str:
        again = f' #{self.number}' if self.number > 1 else ''
        place = self.owner if self.rule else f'{self.owner} | {self.line_text}'  # a row's sentence is enough
        return f'{self.path} | {place} | {self.operator}{again}'

    def apply(self, text: str) -> str:
        """The changed text, with as many lines as before: what was lost is made up for behind the last edit."""
        lost = sum(text.count('\n', start, end) - new.count('\n') for start, end, new in self.edits)
        for start, end, new in sorted(self.edits, reverse=True):
            text, lost = text[:start] + new + '\n' * lost + text[end:], 0
        return text


class Finder:
    """Collects the mutants of one file."""

    def __init__(self, source: Source):
        self.source, self.tokens, self.found = source, source.tokens, []
        self.asserted, self.headers = self._inside('CHECK') | self._inside('_Static_assert'), self._inside('for')

    def add(self, i: int, operator: str, *edits: tuple[int, int, str], rule: str = '', owner: str = '') -> None:
        line = self.source.line_of(self.tokens[i].start)
        self.found.append(Mutant(self.source.path, owner or self.source.owner[i] or 'top', line, self.source.line_text(line),
                                 operator, list(edits), rule))

    def replace(self, i: int, new: str, operator: str = '') -> None:
        token = self.tokens[i]
        self.add(i, operator or f'{token.text} becomes {new}', (token.start, token.end, new))

    def span(self, first: int, last: int) -> str:
        return self.source.text[self.tokens[first].start:self.tokens[last].end]

    def _inside(self, word: str) -> set[int]:
        """What stands in word(…). CHECK: an assertion that asks for less is seen by nobody as long as the code is right."""
        inside = set()
        for i, token in enumerate(self.tokens):
            if token.text == word and self.tokens[i + 1].text == '(':
                inside.update(range(i + 1, self.source.partner[i + 1] + 1))
        return inside

    # --- single tokens ---

    def find_tokens(self) -> None:
        for i, token in enumerate(self.tokens):
            if i in self.asserted:
                continue
            if token.kind == 'number':
                self._number(i)
            elif token.kind == 'string':
                self.replace(i, '"~' + token.text[1:], 'the text changes')
            elif token.kind == 'char':
                self.replace(i, f'({token.text} + 1)', f'{token.text} becomes the next character')
            elif token.text in ('true', 'false'):
                self.replace(i, 'false' if token.text == 'true' else 'true')
            elif token.kind == 'op':
                self._operator(i)

    def _number(self, i: int) -> None:
        digits = self.tokens[i].text.rstrip('uUlL')
        suffix = self.tokens[i].text[len(digits):]
        value = int(digits, 16) if digits.lower().startswith('0x') else int(digits)
        self.replace(i, f'{value + 1}{suffix}')
        if value > 0:
            self.replace(i, f'{value - 1}{suffix}')

    def _operator(self, i: int) -> None:
        text = self.tokens[i].text
        if text in SWAPS and self.source.is_binary(i):
            for new in SWAPS[text]:
                self.replace(i, new)
        elif text in ('++', '--'):
            self.replace(i, '--' if text == '++' else '++')
        elif text in ('!', '-', '~'):
            self.replace(i, '', f'{text} is dropped')

    # --- conditions ---

    def find_conditions(self) -> None:
        for i, token in enumerate(self.tokens):
            if i in self.asserted:
                continue
            if token.text in ('if', 'while') and self.tokens[i + 1].text == '(':
                close = self.source.partner[i + 1]
                condition = self.span(i + 2, close - 1)
                place = self.tokens[i + 2].start, self.tokens[close - 1].end
                self.add(i, 'the condition never holds', (*place, f'({condition}) && 0'))
                if token.text == 'if':
                    self.add(i, 'the condition always holds', (*place, f'({condition}) || 1'))
            elif token.text == '?':
                first = self._start_of_condition(i)
                condition = self.span(first, i - 1)
                self.add(i, f'the choice ({condition}) is turned round', (self.tokens[first].start, self.tokens[i - 1].end, f'!({condition})'))

    def _start_of_condition(self, question: int) -> int:
        """Back to what the condition of a ?: follows."""
        i = question - 1
        while i > 0:
            token = self.tokens[i]
            if token.text in (')', ']'):
                i = self.source.partner[i] - 1
                continue
            if token.kind == 'op' and token.text in ('(', '[', '{', ',', ';', '=', '?', ':', '+=', '|=') or token.text == 'return':
                return i + 1
            i -= 1
        return 0

    # --- statements ---

    def find_statements(self) -> None:
        for i, token in enumerate(self.tokens):
            if self._starts_statement(i):
                last = self._end_of_statement(i)
                if last is not None:
                    self._statement(i, last)
            if token.text == 'case' and self.source.owner[i]:
                colon = next(k for k in range(i, len(self.tokens)) if self.tokens[k].text == ':')
                self.add(i, f'{self.span(i, colon)} is dropped', (token.start, self.tokens[colon].end, ''))

    def _starts_statement(self, i: int) -> bool:
        token, before = self.tokens[i], self.tokens[i - 1] if i else None
        if token.kind != 'name' and token.text not in ('*', '++', '--', '('):
            return False
        if before is None or not self.source.owner[i] or token.text in KEYWORDS - {'return', 'break', 'continue'}:
            return False
        if i in self.headers:
            return False
        if before.text in (';', '}', 'else'):
            return True
        if before.text == '{':
            return self._is_block(i - 1)
        if before.text == ')':
            return self.tokens[self.source.partner[i - 1] - 1].text in ('if', 'for', 'while')
        return before.text == ':' and any(t.text in ('case', 'default') for t in self.tokens[max(0, i - 6):i])

    def _is_block(self, brace: int) -> bool:
        return self.tokens[brace - 1].text in (')', 'else', ';', '{', '}', ':')

    def _end_of_statement(self, first: int) -> int | None:
        """Where its semicolon is; None for what only looks like a statement (an item of a list)."""
        i = first
        while i < len(self.tokens):
            if self.tokens[i].text in ('(', '[', '{'):
                i = self.source.partner[i]
            elif self.tokens[i].text == ';':
                return i
            elif self.tokens[i].text in (')', ']', '}', ','):
                return None
            i += 1
        return None

    def _statement(self, first: int, last: int) -> None:
        word, following = self.tokens[first], self.tokens[first + 1]
        place = word.start, self.tokens[last].end
        if word.text == 'return' and following.text != ';':
            self._return(first, last)
        elif word.text in ('break', 'continue', 'return'):
            self.add(first, f'{word.text} is dropped', (*place, ';'))
        elif is_type(word.text) or following.kind == 'name':
            return  # a declaration
        elif word.text == '(' and self.tokens[first + 1].text == 'void':
            return
        elif word.text != 'CHECK' or self._calls(first + 2, last):
            self.add(first, 'the statement is dropped', (*place, ';'))

    def _calls(self, first: int, last: int) -> bool:
        return any(self.tokens[i].kind == 'name' and self.tokens[i + 1].text == '(' for i in range(first, last))

    def _return(self, first: int, last: int) -> None:
        value = self.span(first + 1, last - 1)
        place = self.tokens[first + 1].start, self.tokens[last - 1].end
        if value in ('true', 'false', '0', 'NULL'):
            return  # changed as a token, or nothing else to say
        if self._returns_bool(first):
            self.add(first, 'the answer is turned round', (*place, f'!({value})'))
        else:
            self.add(first, 'the answer is 0', (*place, '0'))

    def _returns_bool(self, i: int) -> bool:
        owner = self.source.owner[i]
        for k in range(i, -1, -1):
            if self.tokens[k].text == owner and not self.source.owner[k]:
                return self.tokens[k - 1].text == 'bool'
        return False

    # --- fields of values ---

    def find_fields(self) -> None:
        """.name = value, in a braced list: without it the field is zero."""
        for i, token in enumerate(self.tokens[:-2]):
            if token.text != '.' or self.tokens[i + 2].text != '=' or self.tokens[i - 1].text not in ('{', ','):
                continue
            end = i + 3
            while self.tokens[end].text not in (',', '}'):
                end = self.source.partner[end] + 1 if self.tokens[end].text in ('(', '[', '{') else end + 1
            if self.tokens[end - 1].text in ('0', 'NULL', 'false'):
                continue
            stop = self.tokens[end].end if self.tokens[end].text == ',' else self.tokens[end].start
            self.add(i, f'{self.span(i, i + 1)} is left out', (token.start, stop, ''))


def number(mutants: list[Mutant]) -> list[Mutant]:
    """In the order of the file, each with a key of its own."""
    mutants.sort(key=lambda mutant: (mutant.line, mutant.edits[0]))
    seen: dict[str, int] = {}
    for mutant in mutants:
        seen[mutant.key] = mutant.number = seen.get(mutant.key, 0) + 1
    return mutants


def find(source: Source) -> list[Mutant]:
    finder = Finder(source)
    finder.find_tokens()
    finder.find_conditions()
    finder.find_statements()
    finder.find_fields()
    return finder.found
