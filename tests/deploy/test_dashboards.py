"""The dashboards: made by the script, asking for what there is, also when a real Prometheus is asked."""

from __future__ import annotations

import itertools
import json
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.cli.test_serving import serving
from tests.deploy.promql import PROMETHEUS, ROOT, names_in, queries, rules, samples_served
from tests.support.business import check

PATIENCE_SECONDS = 120
EMPTY_WITHOUT_TROUBLE = {"service: Errors"}
"""Panels that rightly show nothing where nothing fails."""


class TestDashboards:
    def test_are_what_the_script_makes(self) -> None:
        done = subprocess.run(
            [sys.executable, str(ROOT / "deploy" / "generate.py"), "--check"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def test_ask_for_what_is_exported_or_recorded(self) -> None:
        known = samples_served() | {rule["record"] for rule in rules() if "record" in rule}
        assert {(panel, name) for panel, expr in queries() for name in names_in(expr) - known} == set()

    def test_fit_on_the_screen(self) -> None:
        for file in (ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"):
            panels = json.loads(file.read_text(encoding="utf-8"))["panels"]
            assert len({panel["id"] for panel in panels}) == len(panels)
            assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)

    @pytest.mark.slow
    @pytest.mark.skipif(shutil.which("prometheus") is None, reason="needs the package prometheus")
    def test_show_something_of_a_running_service(self, database_url: str, tmp_path: Path) -> None:
        with serving(tmp_path, HEADROOM_DATABASE_URL=database_url) as server:
            trade(server.client)
        with (  # once more, for the portfolio is measured at the start and then every five minutes
            serving(tmp_path, HEADROOM_DATABASE_URL=database_url) as server,
            prometheus(tmp_path, server.client.base_url.netloc.decode()) as asked,
        ):
            deadline = time.monotonic() + PATIENCE_SECONDS
            empty = without_answer(asked)
            for number in itertools.count():
                if not empty:
                    return
                assert time.monotonic() < deadline, f"nothing is found for {sorted(empty)}"
                body = check("C-1", f"LATER-{number}", "1")
                server.client.post("/v1/credit-checks", json=body, headers={"Idempotency-Key": f"LATER-{number}"})
                server.client.get("/v1/customers")
                time.sleep(0.5)
                empty = without_answer(asked)


def without_answer(client: httpx.Client) -> set[str]:
    """The queries of panels for which Prometheus finds nothing, though something should be found."""
    found = {f"{panel} | {expr}" for panel, expr in queries() if not answer(client, expr)}
    return {name for name in found if name.split(" | ")[0] not in EMPTY_WITHOUT_TROUBLE}


def trade(client: httpx.Client) -> None:
    """A customer, a limit, an approved and a referred order."""
    client.put("/v1/customers/C-1", json={"name": "One", "country": "CN"}).raise_for_status()
    client.put("/v1/customers/C-1/accounts/main", json={"currency": "CNY"}).raise_for_status()
    limit = {"kind": "granted", "amount": "1000", "reason": "test"}
    client.post("/v1/customers/C-1/accounts/main/limit", json=limit).raise_for_status()
    for number, amount in enumerate(("10", "5000")):
        body = check("C-1", f"FIRST-{number}", amount)
        client.post("/v1/credit-checks", json=body, headers={"Idempotency-Key": f"K-{number}"}).raise_for_status()


class prometheus:  # noqa: N801 - reads like a function, as context managers do
    """A Prometheus of the test's own, with our rules, that scrapes `target` often."""

    def __init__(self, directory: Path, target: str) -> None:
        self._port = free_port()
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(PROMETHEUS / "rules" / "*.yml")],
            "scrape_configs": [{"job_name": "headroom", "static_configs": [{"targets": [target]}]}],
        }
        (directory / "prometheus.json").write_text(json.dumps(config))
        self._arguments = [
            "prometheus", f"--config.file={directory / 'prometheus.json'}", f"--storage.tsdb.path={directory / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{self._port}", "--log.level=error",
        ]  # fmt: skip

    def __enter__(self) -> httpx.Client:
        self._process = subprocess.Popen(self._arguments)
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{self._port}", timeout=30)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            assert self._process.poll() is None, "prometheus ended"
            try:
                if self._client.get("/-/ready").status_code == 200:
                    return self._client
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError("prometheus does not become ready")

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._process.kill()
        self._process.wait()


def answer(client: httpx.Client, expr: str) -> list[object]:
    """The series that Prometheus finds for a query; a query that it can't read is an error."""
    response = client.get("/api/v1/query", params={"query": expr})
    assert response.status_code == 200, f"{expr}: {response.text}"
    found: list[object] = response.json()["data"]["result"]
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
