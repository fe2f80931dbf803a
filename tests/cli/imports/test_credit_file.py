"""Statements, reports and covers from CSV, against a real database."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.cli.imports import credit_file
from app.domains.credit_data.core.reports import Scale
from tests.cli.imports.test_command import CUSTOMERS, Ask, Import, ask, bring_in

__all__ = ["ask", "bring_in"]

STATEMENTS = (
    "customer_id,period_end,currency,audited,source,total_assets,total_liabilities,equity,net_income\n"
    "C1,2024-12-31,CNY,yes,annual report,1000,600,400,-20.50\n"
    "C1,2023-12-31,USD,no,,900,500,400,\n"
    "C2,2024-12-31,EUR,,,70,30,40,5\n"
)
REPORTS = (
    "customer_id,agency,report_ref,reported_on,score,scale_min,scale_max,higher_is_better,rating,recommended_limit,"
    "recommended_currency\n"
    "C1,D&B,R1,2025-02-01,2,1,5,no,5A2,80000.00,EUR\n"
    "C2,D&B,R2,2025-02-01,87,1,100,yes,,,\n"
)
COVERS = (
    "customer_id,cover_ref,provider,kind,status,provider_code,amount,currency,insured_percent,valid_from,valid_until\n"
    "C1,P1,Atradius,insurance,approved,DC01,1000.00,CNY,90,2025-01-01,\n"
    "C2,P2,Atradius,insurance,pending,DC06,500.00,CNY,90,2025-01-01,\n"
)
FILES = [("statements", STATEMENTS, 3), ("reports", REPORTS, 2), ("covers", COVERS, 2)]


class TestFiles:
    @pytest.mark.parametrize(("kind", "content", "lines"), FILES)
    async def test_are_entered_once_however_often_they_come(
        self, bring_in: Import, ask: Ask, kind: str, content: str, lines: int
    ) -> None:
        await bring_in("customers", CUSTOMERS)
        first = await bring_in(kind, content)
        assert f"posted: {lines}, unchanged: 0, refused: 0" in first.output, first.output
        before = await ask("select count(*) from events")
        assert f"posted: 0, unchanged: {lines}, refused: 0" in (await bring_in(kind, content)).output
        assert await ask("select count(*) from events") == before
        assert await ask("select count(*) from credit_records") == [(lines,)]

    @pytest.mark.parametrize(("kind", "content", "lines"), FILES)
    async def test_are_only_tried_in_a_dry_run(
        self, bring_in: Import, ask: Ask, kind: str, content: str, lines: int
    ) -> None:
        await bring_in("customers", CUSTOMERS)
        assert f"would be posted: {lines}," in (await bring_in(kind, content, "--dry-run")).output
        assert await ask("select count(*) from credit_records") == [(0,)]

    async def test_of_covers_cover_the_account(self, bring_in: Import, ask: Ask) -> None:
        await bring_in("customers", CUSTOMERS)
        await bring_in("covers", COVERS)
        covered = await ask("select customer_id, cover_amount::int from accounts order by 1")
        assert covered == [("C1", 900), ("C2", None), ("C3", None)]

    async def test_of_statements_correct_what_was_entered(self, bring_in: Import, ask: Ask) -> None:
        await bring_in("customers", CUSTOMERS)
        await bring_in("statements", STATEMENTS)
        again = await bring_in("statements", STATEMENTS.replace("-20.50", "-25"))
        assert "posted: 1, unchanged: 2, refused: 0" in again.output
        assert await ask("select max(version) from credit_records") == [(2,)]

    async def test_list_each_refused_line_with_its_reason(self, bring_in: Import, tmp_path: Path) -> None:
        await bring_in("customers", CUSTOMERS)
        wrong = (
            "C9,2024-12-31,CNY,,,1,1,0,\n"  # nobody
            "C1,2022-12-31,CNY,,,1000,600,300,\n"  # does not balance
            "C1,2024-12-31,CNY,,,1000,600,400,1\n"  # said above
            "C1,2021-12-31,XXX,,,1,1,0,\n"
            "C1,2020-13-31,CNY,,,1,1,0,\n"
        )
        listed = tmp_path / "refused.csv"
        result = await bring_in("statements", STATEMENTS + wrong, "--report", str(listed))
        assert result.exit_code == 1
        assert "posted: 3, unchanged: 0, refused: 5" in result.output, result.output
        rows = list(csv.DictReader(listed.read_text(encoding="utf-8").splitlines()))
        assert sorted((int(row["line"]), row["code"], row["field"]) for row in rows) == [
            (5, "customer_not_found", ""),
            (6, "figures_disagree", "figures/total_assets"),
            (7, "line_repeated", ""),
            (8, "currency_unknown", "currency"),
            (9, "value_unreadable", "period_end"),
        ]

    async def test_of_reports_and_covers_stop_no_other_line(self, bring_in: Import) -> None:
        await bring_in("customers", CUSTOMERS)
        reports = await bring_in(
            "reports", REPORTS + "C3,D&B,R3,2025-02-01,9,1,5,no,,,\nC3,D&B,R4,2025-02-01,,,,,AA,,\n"
        )
        assert "posted: 3, unchanged: 0, refused: 1" in reports.output, reports.output
        assert "line 4 (R3): score: 9 is not within 1 and 5" in reports.output
        conflict = await bring_in("reports", REPORTS.replace("5A2", "4A3"))
        assert "refused: 1" in conflict.output
        undated = COVERS + "C3,P3,Atradius,insurance,withdrawal_announced,DC21,5.00,CNY,90,2025-01-01,\n"
        assert "posted: 2, unchanged: 0, refused: 1" in (await bring_in("covers", undated)).output

    async def test_of_an_insurer_are_read_by_a_profile(self, bring_in: Import, ask: Ask, tmp_path: Path) -> None:
        await bring_in("customers", CUSTOMERS)
        manual = (Path(__file__).resolve().parents[3] / "docs/import.md").read_text(encoding="utf-8")
        example = manual.split("```yaml\ncovers:", 1)[1].split("```", 1)[0]
        profile = tmp_path / "insurer.yaml"
        profile.write_text(f"covers:{example}", encoding="utf-8")
        columns = "Customer Reference,Cover Number,Decision Code,Amount,Currency,Effective Date,Expiry Date\n"
        lines = "C1,A1,DC21,1000.00,CNY,2025-01-01,2100-01-31\nC2,A2,DC06,9.00,CNY,2025-01-01,\n"
        result = await bring_in("covers", columns + lines, "--profile", str(profile))
        assert "posted: 2, unchanged: 0, refused: 0" in result.output, result.output
        said = await ask("select content->>'status', content->>'provider_code' from credit_records order by ref")
        assert said == [("withdrawal_announced", "DC21"), ("pending", "DC06")]


class TestLines:
    def test_have_a_scale_with_its_direction(self) -> None:
        fields = {"customer_id": "C", "agency": "A", "report_ref": "R", "reported_on": "2025-01-01", "score": "3"}
        scale = {"scale_min": "1", "scale_max": "5", "higher_is_better": "false"}
        found = credit_file.report(fields | scale).report.scale
        assert found is not None
        assert found == Scale(found.min, found.max, higher_is_better=False)
        with pytest.raises(ValidationError):
            credit_file.report(fields | {"scale_min": "1"})

    def test_need_the_currency_of_a_limit(self) -> None:
        fields = {"customer_id": "C", "agency": "A", "report_ref": "R", "reported_on": "2025-01-01"}
        with pytest.raises(ValidationError):
            credit_file.report(fields | {"recommended_limit": "5.00"})
