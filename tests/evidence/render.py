"""The evidence as a document: from a sentence of the terms to its rules, from a rule to its rows and scenarios."""
from findings import own_rows, rows_of_carrier, witnesses
from sources import PROCESS, SCENARIOS

HEAD = """# From every sentence to its proof

Made from [PROCESS.md](../../src/core/PROCESS.md), [TERMS.md](../../src/core/TERMS.md), the [transition table](../../src/core/table.c) and the
[scenarios](../scenarios/README.md), as the program that was built prints and runs them. Do not edit: `tests/evidence/evidence.py --renew` writes it, and a test compares.

A sentence of the marketplace's terms leads to rules; a rule shows its rows of the table, and the scenarios that cite it. Behind a row stand the scenarios
that cite its rule, reach that very row, and expect something there.
"""


def link(rule_id):
    return f"[{rule_id}](#{rule_id.lower()})"


def marks(rule):
    return ", ".join(word for word, is_so in (("seed", rule.is_seed), ("decided", rule.is_decided)) if is_so)


def listed(words, limit):
    """The first few of a long list, and how many more there are."""
    words = list(words)
    rest = f" and {len(words) - limit} more" if len(words) > limit else ""
    return ", ".join(words[:limit]) + rest


def row_line(evidence, row):
    events = {}
    for who, what in row.events:
        events.setdefault(what, []).append(who)
    what = listed((f"{name} ({', '.join(who)})" for name, who in events.items()), 4)
    when = f", when {' and '.join(f'`{guard}`' for guard in row.guards)}" if row.guards else ""
    proof = listed((scenario.id for scenario in witnesses(evidence, row)), 6)
    return f"- **{row.says}** {', '.join(row.stages)}: {what}{when} → {row.to}. *{proof}*"


def carrier_line(evidence, rule, name):
    rows = [row for row in rows_of_carrier(evidence, name) if row not in own_rows(evidence, rule)]
    if rows:
        return f"- `{name}` in {listed((f'“{row.says}” ({row.rule})' for row in rows), 4)}"
    if name in evidence.functions:
        return f"- `{name}` in [{evidence.functions[name].file}](../../{evidence.functions[name].file})"
    return None  # only in rows that are listed already


def rule_section(evidence, rule):
    lines = [f"### {rule.id}", "", f"{rule.text}", "", "Rows:", ""]
    lines += [row_line(evidence, row) for row in own_rows(evidence, rule)]
    lines += [line for line in (carrier_line(evidence, rule, name) for name in rule.carriers) if line]
    lines += ["", "Scenarios:", ""]
    lines += [f"- [{scenario.id}](../../{SCENARIOS}/{scenario.file}): {scenario.title}"
              for scenario in evidence.scenarios if rule.id in scenario.rules]
    return lines + [""]


def terms_section(evidence):
    lines = ["## The terms", "", "| no. | what the terms say | rules |", "|---|---|---|"]
    for term in evidence.terms:
        rules = ", ".join(link(rule_id) for rule_id in term.rules) or ("–" if term.number else "")
        lines.append(f"| {term.number} | {term.says} | {rules} |")
    return lines + [""]


def summary_section(evidence):
    lines = ["## The rules", "", "| rule | | own rows | lives in | scenarios |", "|---|---|---|---|---|"]
    for rule in evidence.rules:
        cited = sum(rule.id in scenario.rules for scenario in evidence.scenarios)
        lives = ", ".join(f"`{name}`" for name in rule.carriers)
        lines.append(f"| {link(rule.id)} | {marks(rule)} | {len(own_rows(evidence, rule))} | {lives} | {cited} |")
    return lines + ["", f"{len(evidence.rules)} rules ({PROCESS}), {len(evidence.rows)} rows, {len(evidence.scenarios)} scenarios.", ""]


def render(evidence):
    lines = [HEAD, *terms_section(evidence), *summary_section(evidence), "## Rule by rule", ""]
    for rule in evidence.rules:
        lines += rule_section(evidence, rule)
    return "\n".join(lines).rstrip("\n") + "\n"
