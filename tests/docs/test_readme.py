"""The README does what it says: its generated parts are up to date, its links lead somewhere, its examples run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from prometheus_client.metrics import MetricWrapperBase

from app.infra import metrics
from app.kernel.events import Event
from tests.architecture.source import modules
from tests.cli.test_serving import serving
from tests.docs.generated import COMMANDS, EVENTS, README, ROOT, event_classes, events, expected, place
from tests.support.api import BOOTSTRAP_KEY

_EVENT_TYPE: Final = re.compile(r"^    type: ClassVar\[str\] = \"(\w+)\"", re.MULTILINE)
TEXT: Final = README.read_text(encoding="utf-8")
PAGES: Final = sorted([README, *(ROOT / "docs").glob("*.md")])


def blocks(language: str, title: str = "Connecting an order-entry system") -> list[str]:
    """The fenced blocks of a section in a language, in their order."""
    section = TEXT.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


class TestGeneratedParts:
    @pytest.mark.parametrize("command", COMMANDS)
    def test_are_what_the_program_prints(self, command: str) -> None:
        found = place(command).search(TEXT)
        assert found
        assert found.group().strip() == expected(command), "run `python -m tests.docs.generated`"

    def test_name_every_event_that_the_program_can_emit(self) -> None:
        assert EVENTS.read_text(encoding="utf-8") == events(), "run `python -m tests.docs.generated`"
        written = {name for module in modules("app") for name in _EVENT_TYPE.findall(module.text)}
        assert {event.type for event in event_classes()} == written


class TestLinks:
    @pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
    def test_lead_somewhere(self, page: Path) -> None:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), target

    @pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
    def test_to_code_name_what_there_is(self, page: Path) -> None:
        for target in re.findall(r"`((?:app|tests|docs)/[\w/.]+)`", page.read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), target

    def test_to_sections_name_sections(self) -> None:
        titles = {_anchor(title) for title in re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)}
        assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= titles

    def test_name_the_rooms_that_there_are(self) -> None:
        for name in re.findall(r"[├└]── (\w+)/", TEXT):
            assert any((ROOT / "app").rglob(name)), name


class TestNames:
    def test_of_metrics_are_those_that_are_exported(self) -> None:
        exported = {name for name in dir(metrics) if isinstance(getattr(metrics, name), MetricWrapperBase)}
        known = {family.name for name in exported for family in getattr(metrics, name).describe()}
        for page in PAGES:
            for name in re.findall(r"^\| `(headroom_\w+)", page.read_text(encoding="utf-8"), re.MULTILINE):
                assert name.removesuffix("_total") in known, name

    def test_of_events_are_those_that_are_emitted(self) -> None:
        feed = (ROOT / "docs/integration.md").read_text(encoding="utf-8").split("Useful types:")[1].split("\n\n")[0]
        known = {kind.type for kind in _below(Event) if hasattr(kind, "type")}
        assert set(re.findall(r"`(\w+)`", feed)) <= known


@pytest.mark.slow
class TestExamples:
    def test_run_as_they_stand(self, database_url: str, tmp_path: Path) -> None:
        """All of them in one shell and in their order, as a reader copies them; then the Python one."""
        with serving(tmp_path, HEADROOM_DATABASE_URL=database_url) as server:
            at = str(server.client.base_url).rstrip("/")
            script = "".join(blocks("bash")).replace("http://127.0.0.1:8000", at)
            script = f"set -euo pipefail\n{script}\nexport ORDER_ENTRY\n{sys.executable} {tmp_path / 'example.py'}\n"
            (tmp_path / "example.py").write_text("".join(blocks("python")), encoding="utf-8")
            done = subprocess.run(
                ["bash", "-c", script],
                env={"PATH": os.environ["PATH"], "KEY": BOOTSTRAP_KEY},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            first, second = (server.client.get(f"/v1/orders/{ref}").json() for ref in ("SO-1001", "SO-1002"))
            account = server.client.get("/v1/customers/ACME/accounts/main").json()
        assert (first["state"], second["state"], second["open"]) == ("invoiced", "open", "90000.00")
        assert account["exposure"]["receivables"] == "15000.00"
        assert account["headroom"] == "-5000.00"

    def test_of_approving_run_as_they_stand(self, database_url: str, tmp_path: Path) -> None:
        """Two approvals by two others, each forbidden way refused and journalled, and the order that waited goes."""
        with serving(tmp_path, HEADROOM_DATABASE_URL=database_url) as server:
            at = str(server.client.base_url).rstrip("/")
            helpers = blocks("bash")[0].replace("http://127.0.0.1:8000", at)
            script = "".join(["set -euo pipefail\n", helpers, *blocks("bash", "Approving a limit")])
            done = subprocess.run(
                ["bash", "-c", script],
                env={"PATH": os.environ["PATH"], "KEY": BOOTSTRAP_KEY},
                capture_output=True,
                text=True,
                check=False,
                cwd=tmp_path,
                timeout=60,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            account = server.client.get("/v1/customers/NOVA/accounts/main").json()
        codes = ["person_required", "four_eyes", "authority_exceeded", "already_approved", "role_not_due"]
        assert re.findall(r"urn:headroom:problem:(\w+)", done.stdout) == codes
        assert account["limit"]["effective_amount"] == "600000.00"
        assert account["exposure"]["open_orders"] == "250000.00"

    def test_of_assessing_run_as_they_stand(self, database_url: str, tmp_path: Path) -> None:
        """A statement, a report and a cover in, an assessment out; another policy, another assessment."""
        with serving(tmp_path, HEADROOM_DATABASE_URL=database_url) as server:
            at = str(server.client.base_url).rstrip("/")
            helpers = blocks("bash")[0].replace("http://127.0.0.1:8000", at)
            script = "".join(["set -euo pipefail\n", helpers, *blocks("bash", "Assessing a customer")])
            done = subprocess.run(
                ["bash", "-c", script],
                env={"PATH": os.environ["PATH"], "KEY": BOOTSTRAP_KEY},
                capture_output=True,
                text=True,
                check=False,
                cwd=tmp_path,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            account = server.client.get("/v1/customers/BOLT/accounts/main").json()
        before, after = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("before", "after"))
        assert before["policy"]["version"] < after["policy"]["version"]
        assert before["facts_digest"] == after["facts_digest"]
        assert before["score"] != after["score"]
        assert account["grade"] == after["grade"]
        assert "权益比率" in done.stdout
        assert "scorecard › groups › financial › weight: 40 → 20" in done.stdout
        assert done.stdout.rstrip().endswith("True")

    def test_are_there_in_both_languages(self) -> None:
        assert len(blocks("bash")) >= 5
        assert len(blocks("python")) == 1


def _below(kind: type[Event]) -> Iterator[type[Event]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _below(subclass)


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
