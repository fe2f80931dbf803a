"""Reference rates of statutory interest: entered, used, missing."""

from __future__ import annotations

from datetime import date, timedelta

from app.infra.clock import FrozenClock
from tests.domains.dunning.world import LEVELS, TODAY, Company


class TestRates:
    async def test_can_be_entered_and_are_used_from_then_on(self, company: Company) -> None:
        await company.put("statutory-rates/DE_BASE/2026-01-01", {"percent": "1.28", "source": "Bundesanzeiger"})
        await company.rules([{**LEVELS[0], "interest": "statutory", "jurisdiction": "DE"}])
        await company.owes(overdue=10, amount="36500.00")
        await company.reminds()
        notice = await company.notice()
        assert notice["totals"][0]["interest"] == "102.80"
        assert notice["rates"][0]["percent"] == "10.28"
        rates = (await company.get("statutory-rates"))["rates"]
        entered = {"reference": "DE_BASE", "valid_from": "2026-01-01", "percent": "1.28", "source": "Bundesanzeiger"}
        assert entered in rates
        [changed] = await company.events("statutory_rate_entered")
        assert changed["after"]["source"] == "Bundesanzeiger"

    async def test_that_are_missing_are_said_to_be_and_their_days_are_claimed_once_they_are_known(
        self, company: Company, clock: FrozenClock
    ) -> None:
        await company.rules([{**level, "interest": "statutory", "jurisdiction": "DE"} for level in LEVELS[:2]])
        clock.move(by=date(2027, 1, 10) - TODAY)
        await company.owes(overdue=(TODAY - date(2026, 12, 26)).days, amount="36500.00")
        await company.reminds()
        notice = await company.notice()
        assert notice["totals"][0]["interest"] == "52.60", "five days of December at 10.52 % a year"
        assert [(rate["percent"], rate["first"]) for rate in notice["rates"]] == [
            ("10.52", "2026-12-27"),
            (None, "2027-01-01"),
        ]
        rules = (await company.get("statutory-rates"))["rules"]
        assert {r["jurisdiction"]: r["current_percent"] for r in rules} == {
            "EU": None,
            "DE": None,
            "FR": None,
            "UK": None,
            "CN-SME": "18.25",
            "CN": "3.9",
        }
        await company.put("statutory-rates/DE_BASE/2027-01-01", {"percent": "1"})
        clock.move(by=timedelta(days=10))
        await company.reminds()
        notice = await company.notice()
        assert notice["totals"][0]["interest"] == "200.00", "twenty days of January at 10 %, none of them twice"

    async def test_of_unknown_references_are_refused(self, company: Company) -> None:
        answer = await company.api.put("/v1/statutory-rates/XYZ/2026-01-01", json={"percent": "1"})
        assert (answer.status_code, answer.json()["code"]) == (404, "statutory_reference_not_found")
