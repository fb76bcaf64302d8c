"""The alert rules of deploy/prometheus speak of metrics, labels and pages that there are. When they fire is told in alerts.yaml."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy" / "prometheus" / "alerts.yaml"
STORIES = ROOT / "tests" / "integration" / "alerts.yaml"
PAGES = ROOT / "deploy" / "runbook"
OF_PROMETHEUS = {"job", "instance"}


def rules():
    """{name: text}"""
    parts = re.split(r"^ +- alert: (\w+)$", RULES.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def labels_by_metric(page):
    """{name: its labels}, also of a metric that has no sample yet."""
    known = {name: set() for name in re.findall(r"^# TYPE (\w+)", page, re.MULTILINE)}
    for name, labels in re.findall(r"^(\w+)\{(.*)\} ", page, re.MULTILINE):
        known.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return known


def test_alerts_ask_for_metrics_and_labels_that_a_worker_has(world):
    page = world.worker().wait_ready().get("/metrics")[1]
    known = labels_by_metric(page)
    assert len(rules()) == RULES.read_text(encoding="utf-8").count("expr:") > 0
    for alert, text in rules().items():
        asked = dict(re.findall(r"\b(booking_\w+)(?:\{(\w+))?", text))
        assert asked and set(asked) <= set(known), alert
        assert all(not label or label in known[name] for name, label in asked.items()), alert
        grouped = {label for group in re.findall(r"\b(?:by|on) \(([^)]*)\)", text) for label in group.split(", ")}
        told = set(re.findall(r"\$labels\.(\w+)", text))
        assert grouped | told <= OF_PROMETHEUS.union(*(known[name] for name in asked)), alert


def test_counters_that_raise_an_alert_are_there_before_they_first_count(world):
    """Prometheus sees no increase in a series that begins with 1."""
    page = world.worker().wait_ready().get("/metrics")[1]
    for series in ('booking_dead_letters_total{stage="value"}', 'booking_kafka_transactions_total{result="aborted"}',
                   "booking_unknown_markets_total"):
        assert f"\n{series} 0\n" in page


def test_alerts_fire_when_they_should():
    """Each is raised in one story and silent in another."""
    stories = STORIES.read_text(encoding="utf-8")
    for alert in rules():
        asked = re.findall(rf"alertname: {alert}\b(\n +exp_alerts:)?", stories)
        assert "" in asked and any(asked), alert
    subprocess.run(["promtool", "test", "rules", STORIES], check=True)


def test_each_alert_has_its_page_and_a_way_leads_to_each_page():
    index = (PAGES / "README.md").read_text(encoding="utf-8")
    for alert, text in rules().items():
        (page,) = re.findall(r"runbook: (\S+)", text)
        assert (ROOT / page).is_file() and f"| `{alert}` |" in index, alert
    reachable = index + (PAGES / "halted-lane.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES.glob("*.md") if page.name != "README.md" and f"({page.name})" not in reachable] == []
