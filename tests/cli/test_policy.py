"""`headroom policy` and `headroom assess`, against a real database."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from app.cli.environment import transactions_of
from app.domains.policies.core.document import default_document
from app.settings import Settings
from tests.cli.test_commands import Headroom, headroom
from tests.support.business import open_account

__all__ = ["headroom"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The default policy in a file."""
    return written(tmp_path / "policy.yaml", default_document())


def written(path: Path, document: object) -> Path:
    """A file with this document."""
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


class TestCheck:
    async def test_takes_a_valid_policy(self, headroom: Headroom, file: Path) -> None:
        result = await headroom("policy", "check", str(file))
        assert result.exit_code == 0, result.output

    async def test_points_at_every_fault(self, headroom: Headroom, tmp_path: Path) -> None:
        document = default_document()
        document["scorecard"]["groups"][0]["weight"] = "41"
        document["order_checks"]["reservation_days"] = -1
        result = await headroom("policy", "check", str(written(tmp_path / "policy.yaml", document)))
        assert result.exit_code == 1
        assert "/scorecard/groups: " in result.output
        assert "/order_checks/reservation_days: " in result.output

    @pytest.mark.parametrize(
        "text", ["[1, 2", "- a", "scorecard: {country_risk: {NO: 5}}", "1: 2", "\udc00", "a: &a [*a]"]
    )
    async def test_refuses_what_is_no_document(self, headroom: Headroom, tmp_path: Path, text: str) -> None:
        path = tmp_path / "policy.yaml"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        result = await headroom("policy", "check", str(path))
        assert result.exit_code == 2
        assert "policy.yaml" in result.output


class TestFiles:
    async def test_are_exported_and_say_the_same(self, headroom: Headroom, tmp_path: Path) -> None:
        path = tmp_path / "exported.yaml"
        assert (await headroom("policy", "export", str(path))).exit_code == 0
        assert yaml.safe_load(path.read_text(encoding="utf-8")) == default_document()
        assert "says the same as version 1" in (await headroom("policy", "diff", str(path))).output
        shown = (await headroom("policy", "show")).output
        assert shown.startswith("# main, version 1: active")
        assert path.read_text(encoding="utf-8") in shown

    async def test_are_compared_in_words(self, headroom: Headroom, tmp_path: Path) -> None:
        document = default_document()
        document["grades"][0]["min_score"] = "85"
        path = written(tmp_path / "policy.yaml", document)
        assert (await headroom("policy", "diff", str(path))).output == "grades › A › min score: 80 → 85\n"

    async def test_are_imported_as_a_draft_of_a_person(self, headroom: Headroom, file: Path) -> None:
        result = await headroom("policy", "import", str(file), "--by", "Li Wei", "--note", "from the repository")
        assert result.output == "version 2 of main is a draft\n"
        shown = (await headroom("policy", "show", "--version", "2")).output
        assert "# main, version 2: draft" in shown
        assert "# edited by: Li Wei" in shown

    async def test_that_are_not_valid_are_not_imported(self, headroom: Headroom, tmp_path: Path) -> None:
        path = written(tmp_path / "policy.yaml", default_document() | {"grades": []})
        result = await headroom("policy", "import", str(path), "--by", "Li Wei")
        assert result.exit_code == 1
        assert "/document/grades" in result.output

    async def test_are_of_segments_that_there_are(self, headroom: Headroom) -> None:
        assert (await headroom("policy", "show", "--segment", "nowhere")).exit_code == 1


class TestAssess:
    async def test_says_how_many(self, headroom: Headroom) -> None:
        await headroom("migrate")
        result = await headroom("assess", "--all", "--stale")
        assert result.exit_code == 0, result.output
        assert "assessed 0, skipped 0, failed 0" in result.output

    async def test_assesses_everybody_and_then_only_who_is_stale(self, headroom: Headroom, database_url: str) -> None:
        await headroom("migrate")
        async with transactions_of(Settings(database_url=database_url)) as transactions:
            for customer_id in ("C-1", "C-2"):
                await open_account(transactions, customer_id)
        first = await headroom("assess", "--all", "--segment", "main")
        assert "0 of 2" in first.output
        assert "assessed 2, skipped 0, failed 0" in first.output
        assert "assessed 0, skipped 2, failed 0" in (await headroom("assess", "--all", "--stale")).output
        run_id = first.output.split("run ")[1].split()[0]
        assert "assessed 2, skipped 0, failed 0" in (await headroom("assess", "--all", "--resume", run_id)).output

    async def test_wants_all_to_be_said(self, headroom: Headroom) -> None:
        assert (await headroom("assess")).exit_code == 2

    async def test_knows_no_run_that_is_not_there(self, headroom: Headroom) -> None:
        run_id = "00000000-0000-7000-8000-000000000000"
        result = await headroom("assess", "--all", "--resume", run_id)
        assert result.exit_code == 2
        assert run_id in result.output
