"""The rules: they ask for what there is, every alert is tested and has its runbook."""

from __future__ import annotations

import shutil
import subprocess

import pytest
import yaml

from app.settings import Settings
from app.worker import jobs
from tests.deploy.promql import PROMETHEUS, ROOT, alerts, names_in, queries, rules, samples_served

promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool comes with the package prometheus")


def cases_of_rules() -> list[dict[str, object]]:
    files = sorted((PROMETHEUS / "tests").glob("*.yml"))
    return [test for file in files for test in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]]


class TestRules:
    def test_ask_for_what_is_exported_or_recorded(self) -> None:
        known = samples_served() | {rule["record"] for rule in rules() if "record" in rule}
        unknown = {name for rule in rules() for name in names_in(rule["expr"])} - known
        assert unknown == set()

    def test_name_jobs_that_there_are(self) -> None:
        [stale] = [rule for name, rule in alerts().items() if name == "HeadroomJobStale"]
        named = {name for part in stale["expr"].split('name=~"')[1:] for name in part.split('"')[0].split("|")}
        assert named <= {job.name for job in jobs(Settings())}

    def test_record_nothing_that_nobody_asks_for(self) -> None:
        recorded = {rule["record"] for rule in rules() if "record" in rule}
        asked = {name for rule in rules() for name in names_in(rule["expr"])}
        asked |= {name for _, expr in queries() for name in names_in(expr)}
        assert recorded - asked == set()

    @promtool
    def test_pass_their_unit_tests(self) -> None:
        tests = [str(path) for path in sorted((PROMETHEUS / "tests").glob("*.yml"))]
        done = subprocess.run(["promtool", "test", "rules", *tests], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


class TestAlerts:
    def test_have_a_runbook_that_knows_them(self) -> None:
        lost = []
        for name, alert in alerts().items():
            runbook = ROOT / alert["annotations"]["runbook"]
            if not runbook.exists() or name not in runbook.read_text(encoding="utf-8"):
                lost.append(name)
        assert lost == []

    def test_say_whom_they_wake(self) -> None:
        assert {alert["labels"]["severity"] for alert in alerts().values()} == {"page", "ticket"}

    def test_are_seen_to_fire_and_to_stay_silent(self) -> None:
        """By name: a test in which it fires, and one in which it does not."""
        seen: dict[str, set[bool]] = {}
        for test in cases_of_rules():
            for case in test.get("alert_rule_test", []):  # type: ignore[attr-defined]
                seen.setdefault(case["alertname"], set()).add(bool(case.get("exp_alerts")))
        assert {name for name in alerts() if seen.get(name) != {True, False}} == set()
