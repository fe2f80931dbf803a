"""The page on receivables does what it says: its examples run, one after another, and come to what it promises."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from textwrap import dedent
from typing import Any, Final

import pytest

from tests.cli.test_serving import serving
from tests.docs.generated import ROOT
from tests.support.api import BOOTSTRAP_KEY

PAGE: Final = (ROOT / "docs/receivables.md").read_text(encoding="utf-8")


def examples() -> str:
    """All of them in their order, indented ones too."""
    found = re.findall(r"^( *)```bash\n(.*?)^ *```$", PAGE, re.MULTILINE | re.DOTALL)
    return "\n".join(dedent(block) for _, block in found)


@pytest.mark.slow
class TestExamples:
    def test_run_as_they_stand(self, database_url: str, tmp_path: Path) -> None:
        with serving(tmp_path, HEADROOM_DATABASE_URL=database_url) as server:
            at = str(server.client.base_url).rstrip("/")
            script = f"set -euo pipefail\n{examples()}".replace("http://127.0.0.1:8000", at)
            done = subprocess.run(
                ["bash", "-c", script],
                env={"PATH": os.environ["PATH"], "KEY": BOOTSTRAP_KEY},
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            assert done.returncode == 0, done.stdout + done.stderr

            def invoice(number: str) -> Any:
                return server.client.get(f"/v1/invoices/{number}").json()

            assert (invoice("INV-1")["status"], invoice("FEE-1")["amount"]) == ("open", "15.00"), "it bounced"
            assert [part["open_amount"] for part in invoice("INV-2")["instalments"]] == ["400.00", "600.00"]
            [conversion] = invoice("INV-E")["allocations"]
            assert (conversion["amount"], conversion["fx_difference"]) == ("100.00", "10.00")
            assert (invoice("CN-7")["amount"], invoice("INV-3")["written_off_amount"]) == ("120.00", "330.00")
            assert server.client.get("/v1/refunds/R-1").json()["amount"] == "50.00"
            hold = server.client.get("/v1/customers/C-1/accounts/main").json()["hold"]
        assert [source["source"] for source in hold["sources"]] == ["write_off"]
        assert (tmp_path / "statement.pdf").read_bytes().startswith(b"%PDF")
        assert "INV-2" in (tmp_path / "open-items.csv").read_text(encoding="utf-8")
        [row] = json.loads((tmp_path / "aging.json").read_text(encoding="utf-8"))["items"]
        [expected] = json.loads((tmp_path / "forecast.json").read_text(encoding="utf-8"))["currencies"]
        assert row["total"] == expected["total"] == "2065.00"
