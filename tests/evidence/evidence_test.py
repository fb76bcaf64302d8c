"""Spoils the real evidence in one place at a time: each check must say so. The program is named by BOOKING_PROGRAM."""
import os
import pickle
import re
import tempfile
import unittest

from findings import find_all
from golden import ROOT
from render import render
from sources import RULE_ID, Rule, Term, read_evidence, read_functions, read_mentions, read_rules, read_scenarios


class Checks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.whole = pickle.dumps(read_evidence(ROOT, os.environ["BOOKING_PROGRAM"]))

    def setUp(self):
        self.evidence = pickle.loads(self.whole)

    def assert_found(self, pattern):
        found = find_all(self.evidence)
        self.assertTrue(any(re.search(pattern, finding) for finding in found), f"nothing about '{pattern}' in {found}")

    def row(self, says):
        return next(row for row in self.evidence.rows if row.says.startswith(says))

    def scenario(self, scenario_id):
        return next(scenario for scenario in self.evidence.scenarios if scenario.id == scenario_id)

    def test_nothing_is_found_in_what_is_whole(self):
        self.assertEqual(find_all(self.evidence), [])

    def test_a_rule_without_a_row_is_found(self):
        self.evidence.rows = [row for row in self.evidence.rows if row.rule != "E7"]
        self.assert_found("^E7 has no row")

    def test_a_rule_without_a_scenario_is_found(self):
        for scenario in self.evidence.scenarios:
            scenario.rules = [rule for rule in scenario.rules if rule != "E7"]
        self.assert_found("^E7 has no scenario")

    def test_a_row_without_a_rule_is_found(self):
        self.row("Once it is paid, the customer asks").rule = ""
        self.assert_found("^row .*names the rule ''")

    def test_a_row_of_a_rule_that_does_not_exist_is_found(self):
        self.row("Once it is paid, the customer asks").rule = "E77"
        self.assert_found("^row .*names the rule 'E77'")

    def test_a_row_that_mentions_a_rule_that_does_not_exist_is_found(self):
        self.row("Once it is paid, the customer asks").says += " (P19)."
        self.assert_found("^row .*names the rule 'P19'")

    def test_a_row_that_no_scenario_reaches_is_found(self):
        index = self.row("Once it is paid, the customer asks").index
        for scenario in self.evidence.scenarios:
            scenario.results = [result for result in scenario.results if result.row != index]
        self.assert_found("^row .*is reached by no scenario$")

    def test_a_row_that_is_only_passed_by_is_found(self):
        index = self.row("Once it is paid, the customer asks").index
        for scenario in self.evidence.scenarios:
            for result in scenario.results:
                result.is_expected = result.is_expected and result.row != index
        self.assert_found("^row .*is reached by no scenario that cites E7 and expects something there")

    def test_a_scenario_that_cites_a_rule_that_does_not_exist_is_found(self):
        self.scenario("payment-01").rules.append("P11")
        self.assert_found("payment-01 cites P11, which")

    def test_a_scenario_that_cites_a_rule_it_never_comes_to_is_found(self):
        self.scenario("payment-01").rules.append("V5")
        self.assert_found("payment-01 cites V5, but of none of its steps")

    def test_a_scenario_that_expects_nothing_of_a_rule_that_it_cites_is_found(self):
        scenario = self.scenario("execution-24")
        scenario.rules.append("P3")  # it is paid on its way, and nothing is expected of that
        self.assert_found("execution-24 cites P3, but of none of its steps")

    def test_a_scenario_that_expects_nothing_is_found(self):
        self.scenario("payment-01").expectations = 0
        self.assert_found("payment-01 expects nothing")

    def test_a_scenario_whose_id_is_taken_is_found(self):
        self.scenario("payment-01").id = "payment-02"
        self.assert_found("payment-02: the id is taken")

    def test_a_gap_in_a_chapter_is_found(self):
        self.evidence.rule("C9").id = "C11"
        self.assert_found("^the rules C of")

    def test_a_rule_that_says_not_whose_it_is_is_found(self):
        rule = self.evidence.rule("E7")
        rule.text = rule.text.replace("(decided)", "")
        self.assert_found("^E7 is marked neither")

    def test_a_place_that_does_not_exist_is_found(self):
        self.evidence.rule("T6").carriers.append("answer_hours")
        self.assert_found("T6 lives in answer_hours")

    def test_a_place_that_has_nothing_to_do_with_its_rule_is_found(self):
        self.evidence.rule("T6").carriers.append("text_copy")
        self.assert_found("T6 lives in text_copy .*, but neither that function nor its comment says so")

    def test_a_rule_of_the_terms_that_no_sentence_leads_to_is_found(self):
        for term in self.evidence.terms:
            term.rules = [rule for rule in term.rules if rule != "E9"]
        self.assert_found("^E9 is marked \\(seed\\)")

    def test_a_sentence_of_the_terms_without_a_rule_is_found(self):
        self.evidence.terms.append(Term(str(len(self.evidence.terms)), "It is free of charge.", []))
        self.assert_found("has no rule, and is not called advice")

    def test_a_sentence_of_the_terms_that_is_left_to_our_own_decisions_is_found(self):
        self.evidence.terms[1].rules = ["P4", "T7"]
        self.assert_found("leads only to rules that are decided")

    def test_a_sentence_that_leads_to_no_rule_that_exists_is_found(self):
        self.evidence.terms[1].rules.append("Z9")
        self.assert_found("Z9 does not exist")

    def test_a_mention_of_a_rule_that_does_not_exist_is_found(self):
        self.evidence.mentions.append(("V9", "README.md", 7))
        self.assert_found("^README.md:7: there is no rule V9")

    def test_a_scenario_that_fails_is_found(self):
        run = {"id": "payment-01", "title": "a title", "file": "payment.yaml", "line": 3, "rules": ["P1"], "expectations": 1, "steps": []}
        problems = []
        read_scenarios({"scenarios": [{**run, "passed": False}, {**run, "id": "payment-02", "passed": True}]}, problems)
        self.assertEqual(len(problems), 1)
        self.evidence.problems += problems
        self.assert_found("payment-01 fails")

    def test_what_is_spoilt_changes_the_document(self):
        before = render(self.evidence)
        self.row("Once it is paid, the customer asks").says = "The customer may edit as he likes."
        self.assertNotEqual(render(self.evidence), before)


class Reading(unittest.TestCase):
    def test_ids_are_found_wherever_they_stand_in_a_text(self):
        found = RULE_ID.findall("rule=P2 (C11), `T6`: E4's, X5–X6; V29 but no EV2, V2a, M1.5, UTC-P3 or sha.A1")
        self.assertEqual(found, ["P2", "C11", "T6", "E4", "X5", "X6", "V29"])

    def test_every_text_of_the_tree_is_searched_for_ids(self):
        with tempfile.TemporaryDirectory() as root:
            for path in ("README.md", "src/core/guards.c", "deploy/run", "tests/scenarios/time.yaml", "tests/evidence/EVIDENCE.md"):
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write("first\nsee P99\n")
            self.assertEqual([path for _, path, line in read_mentions(root) if line == 2],
                             ["README.md", "src/core/guards.c", "deploy/run", "tests/scenarios/time.yaml"])

    def test_a_function_says_what_stands_in_it_above_it_and_at_its_declaration(self):
        with tempfile.TemporaryDirectory() as root:
            for path, text in {"include/booking/a.h": "/* C1 */\nint one(int a);\nint two(void); /* C2 */\n\n/* C3 */\nint three(void);\n",
                               "src/core/a.c": "/* C4 */\nint one(int a)\n{\n    return a; /* C5 */\n}\n\n/* C6 */\n\nint two(void)\n{\n    return 2;\n}\n",
                               "src/worker/b.h": ""}.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            functions = read_functions(root)
            self.assertEqual({name: sorted(RULE_ID.findall(function.says)) for name, function in functions.items()},
                             {"one": ["C1", "C4", "C5"], "two": ["C1", "C2"]})

    def test_a_rule_goes_on_to_the_next_one(self):
        problems = []
        rules = read_rules("- **A1** One\n  and two. (decided)\n- **A2** Three. (seed)\n\nNo rule.\n", problems)
        self.assertEqual(rules[:2], [Rule("A1", "One and two. (decided)"), Rule("A2", "Three. (seed)")])
        self.assertEqual(len(problems), 2)  # there is neither Outcomes nor Policy

    def test_an_id_that_two_rules_have_is_found(self):
        problems = []
        read_rules("- **A1** One. (seed)\n- **A1** Two. (seed)\n", problems)
        self.assertIn("src/core/PROCESS.md gives an id to two rules", problems)


if __name__ == "__main__":
    unittest.main()
