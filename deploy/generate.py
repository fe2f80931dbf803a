"""Writes what is derived: Grafana's dashboards, and the Prometheus operator's form of the rules.

    python deploy/generate.py [--check]

A dashboard is a list of rows, a row a list of panels, a panel a title, a unit and its queries; the rest of Grafana's
JSON is the same for all and made here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

HERE: Final = Path(__file__).resolve().parent
SOURCE: Final = {"type": "prometheus", "uid": "prometheus"}
COLUMNS: Final = 24
HEIGHT: Final = 8
RATE: Final = "$__rate_interval"
CHECK: Final = 'route="/v1/credit-checks",method="POST"'
PORTFOLIO: Final = 'segment=~"$segment",currency=~"$currency"'


@dataclass(frozen=True)
class Query:
    """One query and how its series are called."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """One panel: `kind` is timeseries, stat or table; `good_below` colours what is above it."""

    title: str
    queries: Sequence[Query]
    unit: str = "short"
    kind: str = "timeseries"
    about: str = ""
    stacked: bool = False
    good_below: float | None = None


@dataclass(frozen=True)
class Row:
    """Panels side by side."""

    title: str
    panels: Sequence[Panel]


def portfolio(gauge: str, *labels: str) -> Query:
    """A gauge of the portfolio, of what is chosen above the dashboard, summed up by `labels`."""
    expr = f"sum by ({', '.join(labels)}) (headroom:portfolio_{gauge}{{{PORTFOLIO}}})"
    return Query(expr, " ".join(f"{{{{{label}}}}}" for label in labels))


def quantiles(metric: str, selector: str = "") -> list[Query]:
    """Median, 95th and 99th percentile of a histogram."""
    return [
        Query(f"histogram_quantile({q}, sum by (le) (rate({metric}_bucket{{{selector}}}[{RATE}])))", name)
        for q, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
    ]


SERVICE: Final = (
    Row(
        "Is it well",
        [
            Panel("Ready", [Query("sum(headroom_ready)", "processes")], kind="stat"),
            Panel("Failed of 5 min", [Query("headroom:request_errors:ratio_rate5m")], "percentunit", "stat",
                  "Share of the business's requests answered 5xx; the service level is 0.1 % over 30 days.",
                  good_below=0.001),
            Panel("Slow checks of 5 min", [Query("headroom:slow_checks:ratio_rate5m")], "percentunit", "stat",
                  "Share of the credit checks that took over 50 ms; the service level is 1 % over 30 days.",
                  good_below=0.01),
            Panel("Drifting accounts", [Query("sum(headroom:drift_accounts)")], kind="stat", good_below=1),
            Panel("Leader", [Query("sum(headroom_leader)", "processes")], kind="stat",
                  about="Processes that run the periodic jobs: one."),
            Panel("Build", [Query("sum by (version) (headroom_build_info)", "{{version}}")], kind="stat"),
        ],
    ),
    Row(
        "Requests",
        [
            Panel("Rate", [Query("sum by (status) (headroom:requests:rate5m)", "{{status}}")], "reqps", stacked=True),
            Panel("Errors", [Query('sum by (route) (headroom:requests:rate5m{status=~"5.."})', "{{route}}")], "reqps",
                  stacked=True),
            Panel("Duration of credit checks", quantiles("headroom_request_seconds", CHECK), "s", good_below=0.05),
            Panel("Slowest routes (p95)", [
                Query("topk(5, histogram_quantile(0.95, sum by (le, route) "
                      f'(rate(headroom_request_seconds_bucket{{route=~"/v1/.+"}}[{RATE}]))))', "{{route}}")], "s"),
        ],
    ),
    Row(
        "The desk",
        [
            Panel("From arrival to commit", quantiles("headroom_decision_seconds"), "s", good_below=0.05),
            Panel("Waiting in the queue", quantiles("headroom_desk_waiting_seconds"), "s"),
            Panel("Checks a batch", [
                Query(f"sum(rate(headroom_desk_batch_size_sum[{RATE}]))"
                      f" / sum(rate(headroom_desk_batch_size_count[{RATE}]))", "mean")]),
            Panel("Idempotency keys", [
                Query(f"sum by (outcome) (rate(headroom_idempotency_total[{RATE}]))", "{{outcome}}")], "reqps"),
        ],
    ),
    Row(
        "Database and jobs",
        [
            Panel("Waiting for a connection", quantiles("headroom_pool_wait_seconds"), "s", good_below=0.25),
            Panel("Lag of the event feed", [Query("headroom:seal_lag_seconds", "seal lag")], "s", good_below=60),
            Panel("Jobs begin late by", [Query("headroom:job_lag_seconds", "{{name}}")], "s"),
            Panel("Jobs failed", [
                Query('sum by (name) (increase(headroom_job_runs_total{outcome="failed"}[1h]))', "{{name}}")]),
        ],
    ),
)  # fmt: skip

BUSINESS: Final = (
    Row(
        "Decisions",
        [
            Panel("Checks by outcome", [Query("headroom:decisions:rate5m", "{{outcome}}")], "reqps", stacked=True),
            Panel("Approved of an hour", [Query("headroom:approved:ratio_rate1h", "approved")], "percentunit"),
            Panel("Reasons to refer or decline", [
                Query("sum by (reason) (increase(headroom_decision_reasons_total{effect=~\"refer|decline\"}[1h]))",
                      "{{reason}}")], stacked=True),
            Panel("Reservations expired in an hour", [Query("headroom:expired_reservations:increase1h", "expired")]),
        ],
    ),
    Row(
        "Waiting for somebody",
        [
            Panel("Referred orders waiting", [
                Query('headroom:reviews_waiting{segment=~"$segment"}', "{{segment}}")]),
            Panel("The oldest has waited", [
                Query('headroom:reviews_oldest_seconds{segment=~"$segment"}', "{{segment}}")], "s", good_below=86_400),
            Panel("Limit requests waiting", [
                Query('headroom:limit_requests_waiting{segment=~"$segment"}', "{{segment}}"),
                Query('headroom:limit_requests_overdue{segment=~"$segment"}', "{{segment}} overdue")]),
            Panel("Segments by policy", [Query("headroom:segments", "{{policy}}")], kind="stat"),
        ],
    ),
    Row(
        "Reminders",
        [
            Panel("Sent in an hour, by level", [
                Query('sum by (level) (increase(headroom_dunning_deliveries_total{outcome="sent"}[1h]))',
                      "level {{level}}")], stacked=True),
            Panel("Tries in an hour, by channel", [
                Query("sum by (channel, outcome) (increase(headroom_dunning_deliveries_total[1h]))",
                      "{{channel}} {{outcome}}")], stacked=True),
            Panel("Waiting to be sent, and for how long", [
                Query('headroom:dunning_waiting{segment=~"$segment"}', "{{segment}}"),
                Query('headroom:dunning_oldest_seconds{segment=~"$segment"} / 60', "{{segment}}, minutes")]),
            Panel("Reached nobody, runs under way, promises broken in a day", [
                Query('headroom:dunning_undelivered{segment=~"$segment"}', "{{segment}} reached nobody"),
                Query('headroom:dunning_runs{segment=~"$segment"}', "{{segment}} runs {{state}}"),
                Query("sum by (outcome) (increase(headroom_promises_ended_total[1d]))", "promises {{outcome}}")]),
        ],
    ),
    Row(
        "Portfolio",
        [
            Panel("Exposure", [portfolio("exposure", "currency")]),
            Panel("Limits", [portfolio("limit", "currency")],
                  about="The accounts' own limits in force; unlimited accounts have none."),
            Panel("Exposure by grade", [portfolio("exposure", "grade", "currency")], stacked=True),
            Panel("Overdue by grade", [portfolio("overdue", "grade", "currency")], stacked=True),
        ],
    ),
    Row(
        "Headroom",
        [
            Panel("Exposure against limits", [
                Query(f"sum by (currency) (headroom:portfolio_exposure{{{PORTFOLIO}}})"
                      f" / (sum by (currency) (headroom:portfolio_limit{{{PORTFOLIO}}}) > 0)", "{{currency}}")],
                  "percentunit"),
            Panel("Headroom by grade", [portfolio("headroom", "grade", "currency")]),
            Panel("Accounts above their limit", [portfolio("exceeded_accounts", "segment")]),
            Panel("Accounts", [portfolio("accounts", "segment", "grade")], kind="table"),
        ],
    ),
)  # fmt: skip

DASHBOARDS: Final = {"service": ("Headroom: the service", SERVICE), "business": ("Headroom: the business", BUSINESS)}


def files() -> Iterator[tuple[Path, str]]:
    """Every file that is derived, and what is in it."""
    for name, (title, rows) in DASHBOARDS.items():
        text = json.dumps(dashboard(name, title, rows), indent=2, ensure_ascii=False) + "\n"
        yield HERE / "grafana" / "dashboards" / f"{name}.json", text
    yield HERE / "kubernetes" / "service" / "prometheusrule.yaml", prometheus_rule()


def dashboard(name: str, title: str, rows: Sequence[Row]) -> dict[str, Any]:
    """A dashboard as Grafana reads it."""
    return {
        "uid": f"headroom-{name}",
        "title": title,
        "tags": ["headroom"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [variable("segment"), variable("currency")] if name == "business" else []},
        "links": [{"type": "dashboards", "tags": ["headroom"], "title": "Headroom", "asDropdown": False}],
        "panels": list(placed(rows)),
    }


def variable(label: str) -> dict[str, Any]:
    """A choice among the values of a label of the portfolio."""
    query = f"label_values(headroom:portfolio_accounts, {label})"
    return {
        "name": label,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": label},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def placed(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """The panels with their places: a heading, then its panels side by side."""
    number, y = 0, 0
    for row in rows:
        number += 1
        yield {"id": number, "type": "row", "title": row.title, "collapsed": False, "panels": [],
               "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}}  # fmt: skip
        y += 1
        width = COLUMNS // len(row.panels)
        height = HEIGHT // 2 if all(panel.kind == "stat" for panel in row.panels) else HEIGHT
        for place, panel in enumerate(row.panels):
            number += 1
            yield {"id": number, "gridPos": {"x": place * width, "y": y, "w": width, "h": height}, **drawn(panel)}
        y += height


def drawn(panel: Panel) -> dict[str, Any]:
    """A panel without its place."""
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.good_below is not None:
        steps.append({"color": "red", "value": panel.good_below})
    custom = {"stacking": {"mode": "normal"}, "fillOpacity": 30} if panel.stacked else {"fillOpacity": 5}
    table = panel.kind == "table"
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": SOURCE,
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "thresholds": {"mode": "absolute", "steps": steps},
                **({"custom": custom, "min": 0} if panel.kind == "timeseries" else {}),
            },
            "overrides": [],
        },
        "targets": [
            {"refId": chr(ord("A") + place), "datasource": SOURCE, "expr": query.expr, "legendFormat": query.legend,
             "instant": table, "format": "table" if table else "time_series"}
            for place, query in enumerate(panel.queries)
        ],
    }  # fmt: skip


def prometheus_rule() -> str:
    """The rules as the Prometheus operator reads them."""
    groups = [
        group
        for path in sorted((HERE / "prometheus" / "rules").glob("*.yml"))
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    ]
    document = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "headroom"},
        "spec": {"groups": groups},
    }
    text: str = yaml.safe_dump(document, sort_keys=False, width=120, allow_unicode=True)
    return "# Made from deploy/prometheus/rules by deploy/generate.py.\n" + text


def main(arguments: Sequence[str]) -> int:
    """Writes the files, or says which are not what they should be."""
    stale = [path for path, text in files() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in arguments:
        for path in stale:
            print(f"{path.relative_to(HERE.parent)} is out of date: python deploy/generate.py", file=sys.stderr)
        return 1 if stale else 0
    for path, text in files():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
