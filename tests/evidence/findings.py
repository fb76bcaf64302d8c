"""What is wrong with the evidence: a rule that nothing proves, a row without a rule, an id that does not exist."""
import re

from sources import PROCESS, RULE_ID, TERMS

RECIPIENTS = {"customer:", "provider:"}
OUTCOMES = {"rejected", "duplicate", "dead_letter"}


def rows_of_carrier(evidence, name):
    """The rows that a name of the table "Where a rule lives" stands for; none for a function of the frame."""
    if name in RECIPIENTS:
        return [row for row in evidence.rows if any(f"{who}:" == name for who, _ in row.tells)]
    if name in OUTCOMES:
        return [row for row in evidence.rows if row.outcome == name]
    return [row for row in evidence.rows if name in row.guards or name in row.updates]


def own_rows(evidence, rule):
    return [row for row in evidence.rows if rule.id in (row.rule, row.via_rule)]


def rows_of_rule(evidence, rule):
    rows = own_rows(evidence, rule)
    for name in rule.carriers:
        rows += [row for row in rows_of_carrier(evidence, name) if row not in rows]
    return sorted(rows, key=lambda row: row.index)


def is_asked(row, result):
    """The first row that fits wins, so all rows above the one that won were asked, if they are about the stage and the event."""
    return (result.row is not None and row.index <= result.row and result.stage in row.stages
            and result.event in row.events)


def meets(evidence, scenario, rule):
    """Some step of which something is expected is the rule's: its row decided it, or was asked and did not fit, as at a boundary."""
    rows = rows_of_rule(evidence, rule)
    return not rows or any(result.is_expected and (result.rule == rule.id or result.outcome in rule.carriers
                                                   or any(is_asked(row, result) for row in rows))
                           for result in scenario.results)


def witnesses(evidence, row):
    """The scenarios that cite the row's rule and reach it in a step that expects something."""
    return [scenario for scenario in evidence.scenarios if row.rule in scenario.rules
            and any(result.row == row.index and result.is_expected for result in scenario.results)]


def of_rules(evidence):
    for rule in evidence.rules:
        if not rule.carriers and not own_rows(evidence, rule):
            yield f"{rule.id} has no row, and {PROCESS} does not say where it lives"
        if not any(rule.id in scenario.rules for scenario in evidence.scenarios):
            yield f"{rule.id} has no scenario that cites it"
        if RULE_ID.fullmatch(rule.id) and not (rule.is_seed or rule.is_decided):
            yield f"{rule.id} is marked neither (seed) nor (decided) in {PROCESS}"
        for name in rule.carriers:
            function = evidence.functions.get(name)
            if rows_of_carrier(evidence, name):
                continue
            if function is None:
                yield f"{PROCESS} says that {rule.id} lives in {name}, but no guard, update or function is called that"
            elif RULE_ID.fullmatch(rule.id) and not re.search(rf"\b{rule.id}\b", function.says):
                yield f"{PROCESS} says that {rule.id} lives in {name} ({function.file}), but neither that function nor its comment says so"


def of_chapters(evidence):
    """Rules are numbered 1, 2, 3 … in each chapter."""
    numbers = {}
    for rule in evidence.rules:
        if RULE_ID.fullmatch(rule.id):
            numbers.setdefault(rule.id[0], []).append(int(rule.id[1:]))
    for letter, found in numbers.items():
        if found != list(range(1, len(found) + 1)):
            yield f"the rules {letter} of {PROCESS} are numbered {found}"


def of_rows(evidence):
    reached = {result.row for scenario in evidence.scenarios for result in scenario.results}
    for row in evidence.rows:
        name = f"row {row.index + 1} ({row.rule}, \"{row.says}\")"
        for rule_id in [row.rule, *([row.via_rule] if row.via_rule else []), *RULE_ID.findall(row.says)]:
            if evidence.rule(rule_id) is None:
                yield f"{name} names the rule '{rule_id}', which {PROCESS} does not have"
        if row.index not in reached:
            yield f"{name} is reached by no scenario"
        elif not witnesses(evidence, row):
            others = sorted({scenario.id for scenario in evidence.scenarios
                             if any(result.row == row.index for result in scenario.results)})
            yield f"{name} is reached by no scenario that cites {row.rule} and expects something there; it is by {', '.join(others[:5])}"


def of_scenarios(evidence):
    taken = set()
    for scenario in evidence.scenarios:
        place = f"{scenario.file}:{scenario.line}: {scenario.id}"
        if scenario.id in taken:
            yield f"{place}: the id is taken"
        taken.add(scenario.id)
        if not scenario.rules:
            yield f"{place} cites no rule"
        if len(scenario.title or "") < 10:
            yield f"{place} has no title"
        if scenario.expectations == 0:
            yield f"{place} expects nothing"
        for rule_id in scenario.rules:
            rule = evidence.rule(rule_id)
            if rule is None:
                yield f"{place} cites {rule_id}, which {PROCESS} does not have"
            elif not meets(evidence, scenario, rule):
                yield f"{place} cites {rule_id}, but of none of its steps that come to a row of it anything is expected"


def of_terms(evidence):
    said = {rule_id for term in evidence.terms for rule_id in term.rules}
    for term in evidence.terms:
        for rule_id in term.rules:
            if evidence.rule(rule_id) is None:
                yield f"{TERMS}, {term.number}: {rule_id} does not exist"
        if term.number and not term.rules and not re.search(r"\(Advice: ", term.says):
            yield f"{TERMS}, {term.number} has no rule, and is not called advice"
        if term.rules and not any(rule.is_seed for rule in map(evidence.rule, term.rules) if rule):
            yield f"{TERMS}, {term.number} leads only to rules that are decided, though the terms say so"
    for rule in evidence.rules:
        if rule.is_seed and rule.id not in said:
            yield f"{rule.id} is marked (seed), but no sentence of {TERMS} leads to it"
    numbers = [int(term.number) for term in evidence.terms if term.number]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"the sentences of {TERMS} are not numbered 1, 2, 3 …"


def of_mentions(evidence):
    known = {rule.id for rule in evidence.rules}
    for rule_id, path, line in evidence.mentions:
        if rule_id not in known:
            yield f"{path}:{line}: there is no rule {rule_id}"


def find_all(evidence):
    found = list(evidence.problems)
    for chapter in (of_rules, of_chapters, of_rows, of_scenarios, of_terms, of_mentions):
        found += chapter(evidence)
    return found
