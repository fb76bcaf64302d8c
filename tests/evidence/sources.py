"""What the evidence is made of: the rules and the terms as documents say them, the rows as the program prints them, and the
scenarios as the program ran them."""
import json
import os
import re
import subprocess
from dataclasses import dataclass, field

PROCESS = "src/core/PROCESS.md"
TERMS = "src/core/TERMS.md"
SCENARIOS = "tests/scenarios"
CODE = ("src/core", "src/worker")
DECLARATIONS = ("include/booking", *CODE)
SECTIONS = ("Outcomes", "Policy")  # chapters of PROCESS.md that are rules without ids of their own
RULE_ID = re.compile(r"(?<![\w.-])[ATCPEVZXMN][1-9]\d?(?![\w-]|\.\d)")
# Made from the rest; makes ids up; is made up by machines.
NOT_SEARCHED = ("tests/evidence/EVIDENCE.md", "tests/evidence/evidence_test.py", "tests/fuzz/corpus/")
BEARER_OF_IDS = (".md", ".c", ".h", ".py", ".yaml", ".yml", ".sql", ".avsc", ".sh", ".json", ".txt", "")


@dataclass
class Rule:
    id: str
    text: str
    carriers: list = field(default_factory=list)  # names of the table "Where a rule lives"

    @property
    def is_seed(self):
        return "(seed" in self.text

    @property
    def is_decided(self):
        return bool(re.search(r"\([^()]*decided\)", self.text))


@dataclass
class Row:
    index: int
    rule: str
    via_rule: str
    says: str
    stages: list
    events: list  # (who, what)
    guards: list
    outcome: str  # "applied", "rejected", "duplicate", "dead_letter"
    to: str       # as printed: "stays", a stage, "rejected: stale"
    updates: list
    tells: list   # (who, kind)


@dataclass
class Result:
    row: int  # None: no row is about it
    rule: str
    outcome: str
    stage: str
    event: tuple  # (who, what)
    is_expected: bool  # its step expects something


@dataclass
class Scenario:
    id: str
    title: str
    file: str
    line: int
    rules: list
    expectations: int  # of its steps, and of its end
    results: list


@dataclass
class Term:
    number: str  # "" for a heading
    says: str
    rules: list


@dataclass
class Function:
    file: str
    says: str  # its comment and its body, and the comment of its declaration


@dataclass
class Evidence:
    """All of it, so that a test can spoil one thing and look what is found."""
    rules: list
    terms: list
    rows: list
    scenarios: list
    functions: dict  # name: Function
    mentions: list   # (id, file, line): every rule id that stands in a text of the tree
    problems: list = field(default_factory=list)  # found while reading

    def rule(self, rule_id):
        return next((rule for rule in self.rules if rule.id == rule_id), None)


def read_text(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def read_rules(text, problems):
    rules = []
    for match in re.finditer(r"^- \*\*([^*]+)\*\* (.*?)(?=^- |^\s*$|^#)", text, re.M | re.S):
        rules.append(Rule(match[1], " ".join(match[2].split())))
    for section in SECTIONS:
        match = re.search(rf"^## {section}\n(.*?)(?=^\||^## |\Z)", text, re.M | re.S)
        if match is None:
            problems.append(f"{PROCESS} has no section '{section}'")
        else:
            rules.append(Rule(section, " ".join(re.sub(r"^- ", "", match[1], flags=re.M).split())))
    by_id = {rule.id: rule for rule in rules}
    if len(by_id) != len(rules):
        problems.append(f"{PROCESS} gives an id to two rules")
    table = text.partition("## Where a rule lives")[2]
    for match in re.finditer(r"^\| (\w+) \| (`.*) \|$", table, re.M):
        if match[1] not in by_id:
            problems.append(f"{PROCESS} says where {match[1]} lives, but there is no such rule")
        elif by_id[match[1]].carriers:
            problems.append(f"{PROCESS} says twice where {match[1]} lives")
        else:
            by_id[match[1]].carriers = re.findall(r"`([^`]+)`", match[2])
    return rules


def read_terms(text):
    terms = []
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| no."):
            number, says, rules = cells(line)
            terms.append(Term(number, says, re.findall(r"\w+", rules)))
    return terms


def read_rows(markdown):
    """What `booking-worker diagram --table` prints."""
    rows = []
    for line in markdown.splitlines()[2:]:
        rule, says, stages, events, guards, to, updates, tells = cells(line)
        split = lambda cell: [part for part in cell.split("<br>") if part]
        pairs = lambda cell: [tuple(part.split(": ")) for part in split(cell)]
        via = re.search(r", then \((\w+)\)", to)
        outcome = to.partition(":")[0]
        rows.append(Row(len(rows), rule, via[1] if via else "", says, split(stages), pairs(events), split(guards),
                        outcome if outcome in ("rejected", "duplicate", "dead_letter") else "applied", to,
                        split(updates), pairs(tells)))
    return rows


def read_scenarios(document, problems):
    """What `booking-worker simulate --json` prints."""
    scenarios = []
    for run in document["scenarios"]:
        results = [Result(result["row"], result["rule"] or "", result["outcome"], result["from"] or "(no order)",
                          (result["who"], result["what"]), step["expectations"] > 0)
                   for step in run["steps"] for result in step["results"]]
        scenarios.append(Scenario(run["id"], run["title"], os.path.basename(run["file"]), run["line"], run["rules"],
                                  run["expectations"], results))
        if not run["passed"]:
            problems.append(f"{run['file']}:{run['line']}: {run['id']} fails: booking-worker simulate --only {run['id']} {SCENARIOS}")
    return scenarios


def code_files(root, folders, *endings):
    """Their paths and texts."""
    for folder in folders:
        for name in sorted(os.listdir(os.path.join(root, folder))):
            if name.endswith(endings):
                yield f"{folder}/{name}", read_text(root, f"{folder}/{name}")


def read_functions(root):
    functions = {}
    for path, text in code_files(root, CODE, ".c", ".h"):
        for match in re.finditer(r"^((?:/\*(?:(?!\*/).)*\*/\n)?)[a-z][\w \*]*?(\w+)\(([^;{]*?)\)\n\{.*?^\}", text, re.M | re.S):
            functions.setdefault(match[2], Function(path, match[0]))
    for _, text in code_files(root, DECLARATIONS, ".h"):
        for comment, declarations in re.findall(r"(/\*(?:(?!\*/).)*\*/\n)((?:^[^/\n][^\n]*\n)+)", text, re.M | re.S):
            for name, rest in re.findall(r"\b(\w+)\(([^\n]*)", declarations):
                if name in functions:
                    functions[name].says += comment + rest
    return functions


def read_mentions(root):
    mentions = []
    for top in ("README.md", "src", "include", "schemas", "deploy", "tests"):
        paths = [top] if os.path.isfile(os.path.join(root, top)) else [
            os.path.relpath(os.path.join(folder, name), root)
            for folder, _, names in os.walk(os.path.join(root, top)) for name in names]
        for path in sorted(paths):
            if os.path.splitext(path)[1] not in BEARER_OF_IDS or path.startswith(NOT_SEARCHED):
                continue
            try:
                lines = read_text(root, path).splitlines()
            except UnicodeDecodeError:
                continue
            mentions += [(match[0], path, number) for number, line in enumerate(lines, 1)
                         for match in RULE_ID.finditer(line)]
    return mentions


def run(program, *arguments, cwd):
    done = subprocess.run([program, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):  # 1: an expectation failed; the document says which
        raise RuntimeError(f"{os.path.basename(program)} {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def read_evidence(root, program):
    problems = []
    rules = read_rules(read_text(root, PROCESS), problems)
    document = json.loads(run(program, "simulate", "--json", SCENARIOS, cwd=root))
    return Evidence(rules, read_terms(read_text(root, TERMS)), read_rows(run(program, "diagram", "--table", cwd=root)),
                    read_scenarios(document, problems), read_functions(root), read_mentions(root), problems)
