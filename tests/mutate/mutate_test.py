"""The tool itself: it finds the places that there are, it reports what no killer sees, and it believes no list that is wrong."""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import equivalents  # noqa: E402
import killers  # noqa: E402
import mutants  # noqa: E402
import row_slips  # noqa: E402
import rows  # noqa: E402
import slips  # noqa: E402
from lexer import Source  # noqa: E402

CODE = r'''/* a < b in a comment */
#include <a+b.h>
#define LIMIT (3 + n)
bool is_more(int a, int b)
{
    CHECK(a < 100 && b < 100);
    if (a == '<') /* 1 < 2 */
        return false;
    b += -a;
    return a > b || !strcmp("a < b", text);
}
'''

TABLE = r'''static const struct row table[] = {
{.rule = "X1", .says = "A sentence.",
 .from = PAYMENT | CLOSED, .on = ON(A), .when = {first, second}, REFUSED = REASON_STALE},
{.rule = "X2", .says = "Another one.",
 .from = PAYMENT, .on = ON(A), .to = STAGE_CLOSED, .then = {one, two}, .tell_customer = TELL(CUSTOMER_CLOSED)},
};
'''

SLIPPERY = r'''static void f(struct order *order, int64_t at_ms)
{
    int64_t since = instant_later(at_ms, order->requested_ms);
    if (order->turn == PARTY_CUSTOMER && (is_new || is_late(order)))
        since = 0;
    else
        add(order, 5 * HOUR_MS);
}
'''

ROWS = r'''enum {
    PAYMENT = AT(STAGE_PAYMENT),
    AFTER = PAYMENT | AT(STAGE_CLOSED),
};
#define EDITS (ON(CUSTOMER_EDITS) | ON(PROVIDER_EDITS))
static const struct row table[] = {
{.rule = "X1", .says = "A sentence.",
 .from = AFTER, .on = EDITS, .when = {gives_no_reason}, REFUSED = REASON_STALE},
{.rule = "X2", .says = "Another one.",
 .from = PAYMENT, .on = ON(CUSTOMER_EDITS), .to = STAGE_CLOSED, .then = {close_the_order},
 .tell_customer = TELL(CUSTOMER_CLOSED)},
};
'''


def operators(found: list[mutants.Mutant]) -> list[str]:
    return [mutant.operator for mutant in mutants.number(found)]


class Finding(unittest.TestCase):
    def test_each_place_of_the_code_is_found_and_no_comment_text_or_assertion(self):
        self.assertEqual(sorted(operators(mutants.find(Source('a.c', CODE)))), sorted([
            '3 becomes 4', '3 becomes 2', '+ becomes -',
            "'<' becomes the next character", '== becomes !=', 'the condition never holds', 'the condition always holds',
            'false becomes true', 'the statement is dropped', '+= becomes -=', '- is dropped',
            'the answer is turned round', '> becomes >=', '> becomes <=', '|| becomes &&', '! is dropped', 'the text changes']))

    def test_each_place_of_a_row_is_found(self):
        self.assertEqual(sorted(operators(rows.find(Source('table.c', TABLE)))), sorted([
            'the row is dropped', '.rule "X1" becomes "N6"', '.from is without PAYMENT', '.from is without CLOSED',
            'the guard first is dropped', 'the guard first is turned round', 'the guard second is dropped',
            'the guard second is turned round', 'first comes after second',
            'REFUSED is left out', 'REFUSED becomes DEAD', 'REFUSED REASON_STALE becomes REASON_WRONG_STAGE',
            'the row is dropped', '.rule "X2" becomes "N6"', '.to STAGE_CLOSED becomes STAGE_CANCELLED', '.to is left out',
            'the update one is dropped', 'the update two is dropped', 'one comes after two',
            '.tell_customer is left out', '.tell_customer CUSTOMER_CLOSED becomes CUSTOMER_REMINDER']))

    def test_each_slip_of_the_code_is_found(self):
        self.assertEqual(sorted(operators(slips.find(Source('a.c', SLIPPERY)))), sorted([
            'PARTY_CUSTOMER becomes PARTY_PROVIDER', '.requested_ms becomes .claimed_ms', 'HOUR_MS becomes DAY_MS', 'int64_t becomes int32_t',
            'instant_later becomes instant_earlier', 'else is forgotten', 'add: order and 5 * HOUR_MS are exchanged',
            'at_ms is a millisecond more', 'at_ms is a millisecond less', 'requested_ms is a millisecond more', 'requested_ms is a millisecond less',
            'order->turn == PARTY_CUSTOMER is forgotten', 'is_late(order) is forgotten', '(is_new || is_late(order)) is forgotten', 'is_new is forgotten']))

    def test_each_slip_of_a_row_is_found(self):
        self.assertEqual(sorted(operators(row_slips.find(Source('table.c', ROWS)))), sorted([
            '.from is without STAGE_PAYMENT', '.from is without STAGE_CLOSED', '.on is without CUSTOMER_EDITS', '.on is without PROVIDER_EDITS',
            *(f'.from has STAGE_{stage}, too' for stage in ('CONFIRMATION', 'EXECUTION', 'EXECUTION_CONFIRMATION', 'CANCELLED')),
            *(f'.from has STAGE_{stage}, too' for stage in ('CONFIRMATION', 'EXECUTION', 'EXECUTION_CONFIRMATION', 'CANCELLED', 'CLOSED')),
            'gives_no_reason becomes names_another_revision', 'close_the_order becomes stop_watching_what_is_gone',
            'it changes places with "Another one."']))

    def test_rows_that_never_meet_do_not_change_places(self):
        apart = ROWS.replace('.from = PAYMENT, .on = ON(CUSTOMER_EDITS)', '.from = PAYMENT, .on = ON(CUSTOMER_PLACES)')
        self.assertFalse([name for name in operators(row_slips.find(Source('table.c', apart))) if 'changes places' in name])

    def test_a_change_keeps_the_lines_and_differs(self):
        for found, text in ((mutants.find(Source('a.c', CODE)), CODE), (rows.find(Source('table.c', TABLE)), TABLE),
                            (slips.find(Source('a.c', SLIPPERY)), SLIPPERY), (row_slips.find(Source('table.c', ROWS)), ROWS)):
            for mutant in found:
                changed = mutant.apply(text)
                self.assertNotEqual(changed, text)
                self.assertEqual(changed.count('\n'), text.count('\n'), mutant.key)

    def test_each_mutant_has_a_key_of_its_own(self):
        found = mutants.number(mutants.find(Source('a.c', CODE + CODE.replace('is_more', 'is_more'))))
        self.assertEqual(len({mutant.key for mutant in found}), len(found))


class Explaining(unittest.TestCase):
    def read(self, text: str) -> dict[str, equivalents.Equivalent]:
        with tempfile.NamedTemporaryFile('w', suffix='.txt') as file:
            file.write(text)
            file.flush()
            return equivalents.read(Path(file.name))

    def test_an_entry_says_why(self):
        entry = self.read('# words\na.c | f | x < y | < becomes <=\n    because\n    of this\n')['a.c | f | x < y | < becomes <=']
        self.assertEqual(entry.why, 'because of this')

    def test_an_entry_without_a_reason_or_twice_is_wrong(self):
        for text in ('one\n', 'one\ntwo\n    why\n', 'one\n    why\none\n    why\n'):
            with self.assertRaises(equivalents.Wrong):
                self.read(text)


class Judging(unittest.TestCase):
    """Nothing is killed, and nothing called wrong, by what happens to the machine."""

    def setUp(self):
        self.killers = killers.Killers([])
        self.addCleanup(self.killers.close)

    def run_script(self, text: str) -> killers.Verdict:
        script = self.killers.folder / 'killer'
        script.write_text(f'#!/bin/sh\necho running words >&2\n{text}\n')
        script.chmod(0o755)
        return self.killers._run(script, self.killers.folder, [])[0]

    def test_who_is_stopped_from_without_is_asked_once_more(self):
        self.assertEqual(self.run_script('test -e again && exit 0; touch again; kill -KILL $$'), killers.Verdict('survived'))
        self.assertEqual(self.run_script('kill -KILL $$'), killers.Verdict('killed', 'words', timed_out=True))

    def test_who_fails_or_comes_to_the_end_of_its_time_is_killed(self):
        self.assertEqual(self.run_script('exit 1'), killers.Verdict('killed', 'words'))
        self.assertEqual(self.run_script('kill -XCPU $$'), killers.Verdict('killed', 'words', timed_out=True))

    def test_only_what_is_wrong_itself_does_not_compile(self):
        path = self.killers.folder / 'a.c'
        for text, compiles in (('int a', False), ('int a;', True)):
            path.write_text(text)
            self.assertEqual(self.killers._compiles(path, path.with_suffix('.o')), compiles)
        with self.assertRaises(killers.Broken):
            self.killers._compiles(path, path.parent / 'no such folder' / 'a.o')


class Running(unittest.TestCase):
    """A weak killer lets a changed window live; a list that says otherwise of killed or lost mutants is not believed."""

    WINDOW = 'src/core/policy.c | policy_default | .payment_ms = 12 * HOUR_MS, | 12 becomes 13'

    def test_survivors_and_wrong_lists_are_reported(self):
        key = self.WINDOW
        killed = next(m.key for m in self.listed('table.c') if '| the row is dropped' in m.key)
        with tempfile.NamedTemporaryFile('w', suffix='.txt') as file:
            file.write(f'{killed}\n    nobody sees it\nsrc/core/policy.c | gone | int x = 1; | 1 becomes 2\n    it is gone\n')
            file.flush()
            done = self.run_tool('--killers', 'table', '--equivalent', file.name, '--key', key)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(f'survived: {key}\n', done.stdout)
            self.assertIn('no such mutant: ', done.stdout)
            done = self.run_tool('--killers', 'table', '--equivalent', file.name, '--key', killed)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(f'not equivalent: {killed}\n', done.stdout)

    def test_what_the_killers_see_is_no_finding(self):
        done = self.run_tool('--killers', 'words', '--key', self.WINDOW)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, re.compile(r'^1 mutants: 1 killed', re.MULTILINE))

    def listed(self, name: str) -> list[mutants.Mutant]:
        path = HERE.parents[1] / 'src/core' / name
        return mutants.number(rows.find(Source(f'src/core/{name}', path.read_text())))

    def run_tool(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, '-B', HERE / 'run', *arguments], capture_output=True, text=True)


if __name__ == '__main__':
    unittest.main()
