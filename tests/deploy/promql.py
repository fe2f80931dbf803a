"""What the rules and dashboards ask for, and what there is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.metrics import MetricWrapperBase

from app.infra import metrics

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
NAME = re.compile(r"\bheadroom[_:][a-zA-Z0-9_:]+")


def rules() -> list[dict[str, Any]]:
    """Every recording and alert rule."""
    files = sorted((PROMETHEUS / "rules").glob("*.yml"))
    groups = [group for file in files for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> dict[str, dict[str, Any]]:
    """The alert rules by name."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def queries() -> Iterator[tuple[str, str]]:
    """Every query of a dashboard, with the panel it is in; variables stand for everything."""
    for file in sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json")):
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
            for target in panel.get("targets", ()):
                expr = target["expr"].replace("$__rate_interval", "1m")
                yield f"{file.stem}: {panel['title']}", expr.replace("$segment", ".*").replace("$currency", ".*")


def samples_served() -> set[str]:
    """The names of all samples that the program exports."""
    names: set[str] = set()
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            [family] = metric.describe() if hasattr(metric, "describe") else metric.collect()
            suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(family.type, ("",))
            names |= {family.name + suffix for suffix in suffixes}
    return names


def names_in(expr: str) -> set[str]:
    """The metrics and recorded series that a query names."""
    return set(NAME.findall(expr))
