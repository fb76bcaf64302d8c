"""A C file as tokens with their places: enough of the language to change one token, statement or condition at a time."""

import re
from typing import NamedTuple

KEYWORDS = {
    'break', 'case', 'const', 'continue', 'default', 'do', 'else', 'enum', 'extern', 'for', 'goto', 'if', 'inline', 'return',
    'sizeof', 'static', 'struct', 'switch', 'typedef', 'union', 'while',
}
TYPE_WORDS = {'bool', 'char', 'const', 'enum', 'int', 'long', 'short', 'signed', 'size_t', 'static', 'struct', 'unsigned', 'void'}

SCAN = re.compile(
    r'''(?P<space>\s+|\\\n|/\*.*?\*/|//[^\n]*)
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<char>'(?:[^'\\]|\\.)*')
      | (?P<number>(?:0[xX][0-9a-fA-F]+|[0-9]+)[uUlL]*)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<op><<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)''',
    re.VERBOSE | re.DOTALL)


class Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


def is_type(word: str) -> bool:
    return word in TYPE_WORDS or word.endswith('_t') or word == 'day_number'


class Source:
    """One file: its text, its tokens (also those of #define's bodies), and for each bracket its partner."""

    def __init__(self, path: str, text: str):
        self.path, self.text = path, text
        self.tokens: list[Token] = []
        self._scan()
        self.partner = self._pair()
        self.owner = self._find_owners()
        self._line_starts = [0] + [i + 1 for i, c in enumerate(text) if c == '\n']

    def _scan(self) -> None:
        at, line_has_token = 0, False
        while at < len(self.text):
            if self.text[at] == '#' and not line_has_token:
                at = self._skip_directive(at)
                continue
            match = SCAN.match(self.text, at)
            kind = match.lastgroup
            if kind == 'space':
                if '\n' in match.group() and not match.group().startswith('\\'):
                    line_has_token = False
            else:
                line_has_token = True
                self.tokens.append(Token(kind, match.group(), at, match.end()))
            at = match.end()

    def _skip_directive(self, at: int) -> int:
        """After '#define NAME' or '#define NAME(…)', so that the body is read; after the end of any other directive."""
        define = re.compile(r'#\s*define\s+\w+(\([^)\n]*\))?').match(self.text, at)
        if define:
            return define.end()
        return re.compile(r'(?:[^\n\\]|\\.)*', re.DOTALL).match(self.text, at).end()

    def _pair(self) -> dict[int, int]:
        partner, stack = {}, []
        for i, token in enumerate(self.tokens):
            if token.kind != 'op':
                continue
            if token.text in '([{':
                stack.append(i)
            elif token.text in ')]}' and stack:
                partner[i] = stack.pop()
                partner[partner[i]] = i
        return partner

    def _find_owners(self) -> list[str]:
        """For each token the function (or the table) that it stands in, '' outside."""
        owners, owner, name, depth = [], '', '', 0
        for i, token in enumerate(self.tokens):
            following = self.tokens[i + 1].text if i + 1 < len(self.tokens) else ''
            if depth == 0 and token.kind == 'name' and token.text not in KEYWORDS | {'_Static_assert'} and following in ('(', '[', '=', '{'):
                name = token.text
            if token.text == '{' and token.kind == 'op':
                if depth == 0:
                    owner = name
                depth += 1
            owners.append(owner)
            if token.text == '}' and token.kind == 'op':
                depth -= 1
                if depth == 0:
                    owner = ''
        return owners

    def line_of(self, offset: int) -> int:
        low, high = 0, len(self._line_starts)
        while high - low > 1:
            middle = (low + high) // 2
            if self._line_starts[middle] <= offset:
                low = middle
            else:
                high = middle
        return low + 1

    def line_text(self, line: int) -> str:
        start = self._line_starts[line - 1]
        end = self.text.find('\n', start)
        return self.text[start:end if end >= 0 else len(self.text)].strip()

    def is_binary(self, i: int) -> bool:
        """The layout is clang-format's: what takes two operands has space on both sides, what takes one has not."""
        token = self.tokens[i]
        before, after = self.text[token.start - 1:token.start], self.text[token.end:token.end + 1]
        return before.isspace() and after.isspace() and i > 0 and self.tokens[i - 1].text not in ('return', '(', ',', '=')
