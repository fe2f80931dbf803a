"""Reference rates of statutory interest from CSV, against a real database."""

from __future__ import annotations

from tests.cli.imports.test_command import Ask, Import, ask, bring_in

__all__ = ["ask", "bring_in"]

RATES = (
    "reference,valid_from,percent,source\n"
    "ECB_MRO,2027-01-01,2.40,ECB\n"
    "DE_BASE,2027-01-01,-0.13,Bundesanzeiger\n"
    "LPR_1Y,2026-12-21,2.9,\n"
)


class TestFile:
    async def test_is_entered_once_however_often_it_comes(self, bring_in: Import, ask: Ask) -> None:
        assert "posted: 3, unchanged: 0, refused: 0" in (await bring_in("interest-rates", RATES)).output
        assert "posted: 0, unchanged: 3, refused: 0" in (await bring_in("interest-rates", RATES)).output
        corrected = RATES.replace("2.40,ECB", "2.65,ECB")
        assert "posted: 1, unchanged: 2, refused: 0" in (await bring_in("interest-rates", corrected)).output
        found = await ask("select reference, percent::float8, source from statutory_rates order by 1")
        assert found == [("DE_BASE", -0.13, "Bundesanzeiger"), ("ECB_MRO", 2.65, "ECB"), ("LPR_1Y", 2.9, "")]

    async def test_lists_each_refused_line_with_its_reason(self, bring_in: Import) -> None:
        wrong = "XYZ,2027-01-01,1,\nECB_MRO,2027-07-01,100.5,\nECB_MRO,2027-13-01,1,\nECB_MRO,2027-01-01,3,\n"
        refused = await bring_in("interest-rates", RATES + wrong)
        assert "posted: 3, unchanged: 0, refused: 4" in refused.output
        assert "the references are BANK_RATE" in refused.output
