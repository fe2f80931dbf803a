"""The pages on internal control do what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest

from app.support.auth.core.duties import DUTIES
from app.support.auth.core.scopes import Role
from app.support.journal.core.verification import Tampering
from tests.cli.test_serving import serving
from tests.docs.generated import README, ROOT
from tests.support.api import BOOTSTRAP_KEY

TEXT: Final = README.read_text(encoding="utf-8")
CONTROL: Final = (ROOT / "docs/control.md").read_text(encoding="utf-8")
PLACES_SECONDS_MAX: Final = 30.0


def blocks(title: str, language: str, text: str = TEXT) -> list[str]:
    """The fenced blocks below a heading in a language, in their order."""
    section = re.split(rf"^#+ {re.escape(title)}\n", text, flags=re.MULTILINE)[1].split("\n## ", 1)[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


class TestPage:
    @pytest.mark.parametrize("duty", DUTIES, ids=lambda duty: duty.code)
    def test_names_every_duty(self, duty: object) -> None:
        [found] = [found for found in DUTIES if found is duty]
        [row] = [line for line in CONTROL.splitlines() if f"`{found.code}`" in line]
        assert row.startswith(f"| {found.rule} |")
        assert all(f"`{scope}`" in row for scope in found.these)

    @pytest.mark.parametrize("role", Role)
    def test_describes_every_role(self, role: Role) -> None:
        assert f"\n| `{role}` | " in CONTROL

    @pytest.mark.parametrize("kind", Tampering)
    def test_says_how_each_tampering_was_tried(self, kind: Tampering) -> None:
        assert re.search(rf"^\| .* \| `{kind}`", CONTROL, re.MULTILINE)


@pytest.mark.slow
class TestExamples:
    def test_run_as_they_stand(self, database_url: str, tmp_path: Path) -> None:
        """The README's in one shell, and the export over HTTP, which makes the same journal."""
        with serving(tmp_path, HEADROOM_DATABASE_URL=database_url) as server:
            customer = {"name": "Acme", "country": "GB"}
            server.client.put("/v1/customers/ACME", json=customer).raise_for_status()
            deadline = time.monotonic() + PLACES_SECONDS_MAX
            while not server.client.get("/v1/events").json()["items"]:
                assert time.monotonic() < deadline, "nothing is sealed"
                time.sleep(0.1)
            at = str(server.client.base_url).rstrip("/")
            (tmp_path / "fetch.py").write_text(blocks("Offline, over HTTP", "python", CONTROL)[0], encoding="utf-8")
            helpers = blocks("In curl", "bash")[0].replace("http://127.0.0.1:8000", at)
            script = "\n".join(
                [
                    "set -euo pipefail",
                    helpers,
                    *blocks("A record that can't be bent", "bash"),
                    f"{sys.executable} fetch.py > fetched.jsonl",
                    "headroom journal verify --export fetched.jsonl --digests digests.jsonl",
                ]
            )
            programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
            done = subprocess.run(
                ["bash", "-c", script],
                env={"PATH": programs, "KEY": BOOTSTRAP_KEY, "HEADROOM_DATABASE_URL": database_url},
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count("1 published digests: intact") == 2
        assert "edited: block 1" in done.stdout
        assert "it was bent" in done.stdout
