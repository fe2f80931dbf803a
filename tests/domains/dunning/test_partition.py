"""Everybody with something overdue is in a run or left out of it for a reason: nobody is lost in between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.domains.dunning.service import proposing
from tests.domains.dunning.world import LEVELS, TODAY, Company

OVERDUE = text("""
    select distinct customer_id from open_items
     where open_amount > 0 and kind <> 'credit_note' and due_on < :today order by 1""")
CHARGED = [{**LEVELS[0], "fees": [{"currency": "CNY", "amount": "5"}]}, *LEVELS[1:]]


async def book(company: Company) -> None:
    """A customer in every situation that keeps one out of a run, and some that are in it."""
    await company.rules(CHARGED, claims_are_exposure=True, claims_order="before_principal")
    await company.customer("claims")
    await company.owes("claims-1", customer_id="claims")
    await company.reminds()
    await company.pays(
        "100.00", "P-claims", customer_id="claims", allocations=[{"invoice_no": "claims-1", "amount": "100"}]
    )
    await company.rules([{**level, "min_item_amounts": [{"currency": "CNY", "amount": "10"}]} for level in LEVELS])
    for name in (
        "disputed",
        "partly",
        "promised",
        "stopped",
        "legal",
        "covered",
        "plain",
        "split",
        "small",
        "early",
        "none",
    ):
        await company.customer(name)
        overdue = {"early": 2, "none": -5}.get(name, 10)
        amount = "9.99" if name == "small" else "100.00"
        await company.owes(f"{name}-1", customer_id=name, overdue=overdue, amount=amount)
    await company.post("invoices/disputed-1/disputes", {"amount": "100.00", "reason": "quality"})
    await company.post("invoices/partly-1/disputes", {"amount": "40.00", "reason": "quality"})
    await company.post("customers/promised/promises", {"amount": "100", "currency": "CNY", "promised_on": "2026-03-09"})
    await company.post("customers/stopped/dunning-stops", {"until": "2026-03-05", "reason": "a visit"})
    await company.post("customers/legal/dunning-stops", {"kind": "legal_case", "reason": "in court"})
    await company.pays("100.00", "P-covered", customer_id="covered", allocate="none")
    due_on = (TODAY - timedelta(days=10)).isoformat()
    parts = [{"due_on": due_on, "amount": "60.00"}, {"due_on": "2026-04-10", "amount": "40.00"}]
    await company.post("invoices/split-1/instalments", {"instalments": parts, "reason": "agreed"})
    await company.post("invoices/split-1/disputes", {"amount": "100.00", "reason": "price"})


def told(run: Any) -> dict[str, str]:
    return {skip["customer_id"]: skip["reason"] for skip in run["skipped"]}


class TestRun:
    @pytest.mark.parametrize("page", [500, 2])
    async def test_reminds_whoever_has_something_overdue_or_says_why_not(
        self, company: Company, monkeypatch: pytest.MonkeyPatch, page: int
    ) -> None:
        monkeypatch.setattr(proposing.look, "__kwdefaults__", {"limit": page})
        await book(company)
        run = await company.proposes()
        await company.works()
        run = await company.get(f"dunning-runs/{run['id']}")
        reminded = {notice["customer_id"] for notice in run["notices"]}
        assert reminded == {"partly", "plain"}
        assert told(run) == {
            "claims": "only_fees_and_interest",
            "covered": "covered_by_credits",
            "disputed": "disputed",
            "early": "before_first_level",
            "legal": "legal_case",
            "promised": "promised",
            "small": "below_minimum_item",
            "split": "disputed",
            "stopped": "stopped",
        }
        async with company.app.state.engine.connect() as connection:
            overdue = (await connection.scalars(OVERDUE, {"today": TODAY})).all()
        assert sorted(reminded | told(run).keys()) == list(overdue)

    async def test_that_is_dry_tells_the_same(self, company: Company) -> None:
        await book(company)
        dry = await company.proposes(dry_run=True)
        run = await company.proposes()
        assert told(dry) == told(run)
        assert {notice["customer_id"] for notice in dry["notices"]} == {n["customer_id"] for n in run["notices"]}


class TestDispute:
    async def test_of_all_of_an_item_is_listed_by_its_own_due_day_beside_others(self, company: Company) -> None:
        await company.owes("A", overdue=10)
        await company.owes("B", overdue=10)
        await company.owes("LATER", overdue=-20)
        for number in ("B", "LATER"):
            await company.post(f"invoices/{number}/disputes", {"amount": "100.00", "reason": "quality"})
        await company.reminds()
        lines = (await company.notice())["lines"]
        due_on = (TODAY - timedelta(days=10)).isoformat()
        assert [(line["invoice_no"], line["due_on"], line["asked"]) for line in lines] == [
            ("A", due_on, "100.00"),
            ("B", due_on, "0.00"),
        ]

    async def test_that_is_rejected_brings_notice_and_level_back(self, company: Company) -> None:
        await company.owes()
        await company.reminds()
        dispute = await company.post("invoices/INV-1/disputes", {"amount": "100.00", "reason": "quality"})
        assert ((await company.notice())["state"], await company.level()) == ("settled", 0)
        await company.post(f"invoices/INV-1/disputes/{dispute['id']}/resolve", {"outcome": "rejected"})
        assert ((await company.notice())["state"], await company.level()) == ("sent", 1)
        assert (await company.proposes())["notices"] == []


class TestCurrencies:
    async def test_have_minimum_fee_and_credits_of_their_own(self, company: Company) -> None:
        fees = [{"currency": "CNY", "amount": "10"}, {"currency": "EUR", "amount": "2"}]
        await company.rules(
            [{**LEVELS[0], "fees": fees, "min_customer_amounts": [{"currency": "EUR", "amount": "50"}]}]
        )
        await company.put("fx-rates/2025-12-01", {"base": "EUR", "rates": {"CNY": "8"}})
        await company.owes("E", amount="100.00", currency="EUR")
        await company.pays("30.00", currency="EUR", allocate="none")
        [notice] = (await company.proposes())["notices"]
        [total] = notice["totals"]
        assert (total["currency"], total["credits"], total["fee"], total["net_due"]) == (
            "EUR",
            "30.00",
            "2.00",
            "72.00",
        )
        await company.owes("C")
        run = (await company.get("dunning-runs"))["items"][0]
        await company.post(f"dunning-runs/{run['id']}/withdraw", {"reason": "another invoice"})
        [notice] = (await company.proposes())["notices"]
        assert {total["currency"]: total["fee"] for total in notice["totals"]} == {"CNY": "10.00", "EUR": "0.00"}
        await company.pays("21.00", "PAY-2", currency="EUR", allocate="none")
        left = (await company.get(f"dunning-notices/{notice['id']}"))["totals"]
        assert {total["currency"]: total["net_due"] for total in left} == {
            "CNY": "110.00",
            "EUR": "49.00",
        }

    async def test_in_which_nothing_is_left_to_ask_for_keep_a_customer_out(self, company: Company) -> None:
        await company.put("fx-rates/2025-12-01", {"base": "EUR", "rates": {"CNY": "8"}})
        await company.owes("E", amount="100.00", currency="EUR")
        await company.pays("100.00", currency="EUR", allocate="none")
        run = await company.proposes()
        assert (run["notices"], run["skipped"][0]["reason"]) == ([], "covered_by_credits")
