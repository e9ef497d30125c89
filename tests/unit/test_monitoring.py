"""The alerts and the dashboard: they are valid, they fire, and they name only metrics that the daemon has."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pattern_sync.observability.metrics.catalogue import Metric, Type
from tests.support.promtool import promtool
from tests.unit.test_metrics import Scraped

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "monitoring"
ALERTS = (MONITORING / "alerts.yml").read_text(encoding="utf-8")
ALERT_TESTS = (MONITORING / "alerts_test.yml").read_text(encoding="utf-8")
DASHBOARD: dict[str, Any] = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
NAMES = re.findall(r"- alert: (\w+)", ALERTS)
TARGETS = [target for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
EXPRESSIONS = [target["expr"] for target in TARGETS]
RULES = re.split(r"(?=- alert: )", ALERTS)[1:]
# What Prometheus itself sets, and what recording by bucket adds.
TARGET_LABELS = {"job", "instance", "le", "alertname", "alertstate", "severity"}


def series_of(metric: Metric) -> set[str]:
    """Return the names under which a query finds a metric."""
    name = metric.value.full_name
    return {f"{name}_{part}" for part in ("bucket", "sum", "count")} if metric.value.type is Type.HISTOGRAM else {name}


def labelled_series(text: str) -> Iterator[tuple[str, set[str]]]:
    """Yield each of our series that a text names, with the labels in its braces."""
    for name, matchers in re.findall(r"\b(pattern_sync_\w+)(?:\{([^}]*)\})?", text):
        yield name, set(re.findall(r"(\w+)\s*=", re.sub(r'"[^"]*"', '""', matchers)))


@pytest.mark.parametrize("text", [ALERTS, ALERT_TESTS, "\n".join(EXPRESSIONS)], ids=["alerts", "tests", "dashboard"])
def test_only_metrics_and_labels_that_exist_are_named(text: str) -> None:
    known = {name: set(metric.value.labels) for metric in Metric for name in series_of(metric)}
    found = list(labelled_series(text))
    assert found
    for name, labels in found:
        assert name in known
        assert labels <= known[name] | TARGET_LABELS, name


def labels_of_answer(query: str) -> set[str]:
    """Return the labels that the series of a query's answer may have."""
    known = {name: set(metric.value.labels) for metric in Metric for name in series_of(metric)}
    groups = grouping_labels(query, "by")
    if groups:
        return set.intersection(*groups)
    if re.search(r"\b(sum|max|min|count) ?\(", query):
        return set()
    return {"job", "instance"}.union(*(known[name] for name, _ in labelled_series(query)))


def grouping_labels(query: str, *words: str) -> list[set[str]]:
    """Return the labels in the parentheses after each of some words."""
    return [set(re.findall(r"\w+", found)) for found in re.findall(rf"\b(?:{'|'.join(words)}) ?\(([^)]*)\)", query)]


@pytest.mark.parametrize("query", [*RULES, *EXPRESSIONS], ids=[*NAMES, *map(str, range(len(EXPRESSIONS)))])
def test_queries_group_by_labels_that_their_metrics_have(query: str) -> None:
    known = {name: set(metric.value.labels) for metric in Metric for name in series_of(metric)}
    has = TARGET_LABELS.union(*(known[name] for name, _ in labelled_series(query)))
    for labels in grouping_labels(query, "by", "on", "without", "ignoring"):
        assert labels <= has


def test_texts_name_labels_that_the_answer_has() -> None:
    for rule in RULES:
        assert set(re.findall(r"\$labels\.(\w+)", rule)) <= labels_of_answer(rule), rule
    for target in TARGETS:
        legend = set(re.findall(r"{{ *(\w+) *}}", target["legendFormat"]))
        assert legend <= labels_of_answer(target["expr"]), target


def test_the_dashboard_shows_every_metric_but_infos_and_moments() -> None:
    shown = {name for name, _ in labelled_series("\n".join(EXPRESSIONS))}
    hidden = {metric.value.full_name for metric in Metric if not shown & series_of(metric)}
    assert all(name.endswith(("_info", "_timestamp_seconds", "_interval_seconds")) for name in hidden)


def test_every_alert_is_described_and_has_a_test_in_which_it_fires() -> None:
    assert len(set(NAMES)) == len(NAMES)
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    for name in NAMES:
        assert f'ALERTS{{alertname="{name}", alertstate="firing"' in ALERT_TESTS, name
        assert f"`{name}`" in page, name
    assert ALERTS.count("summary:") == ALERTS.count("description:") == len(NAMES)


def test_panels_have_names_of_their_own_and_do_not_overlap() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(panels))) - {"__rate_interval"}
    assert used == variables


def test_the_alerts_are_valid_and_fire_exactly_when_they_should() -> None:
    assert f"{len(NAMES)} rules found" in promtool("check", "rules", str(MONITORING / "alerts.yml"))
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml", cwd=MONITORING)


def test_every_query_of_the_dashboard_is_valid(tmp_path: Path) -> None:
    queries = [expression.replace("$__rate_interval", "5m") for expression in EXPRESSIONS]
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(queries)]
    file = tmp_path / "dashboard.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))  # JSON is YAML, too
    assert f"{len(queries)} rules found" in promtool("check", "rules", str(file))


def test_prometheus_has_nothing_to_criticise_about_the_metrics() -> None:
    text, _ = Scraped().metrics.scrape("")
    assert promtool("check", "metrics", given=text) == ""
