"""Procedures by profile and by customer, and what moves a customer in and out of them."""

from __future__ import annotations

import asyncio
from typing import Any

from app.support.auth.core.scopes import Scope
from tests.domains.dunning.world import LEVELS, TODAY, Company
from tests.support.api import ApiAs

GENTLE = {"dunning": {"levels": [{"days_overdue": 15, "min_days_since_previous": 0, "template": "reminder"}]}}
EARLY = {"dunning": {"reminder": {"days_before_due": 5, "channel": "letter"}}}


async def override(company: Company, api_as: ApiAs, patch: dict[str, Any]) -> None:
    """Puts an override into force for C1."""
    path = "customers/C1/policy-override"
    await company.put(path, {"patch": patch, "valid_until": "2026-12-31", "reason": "an old friend"})
    approver = await api_as(Scope.POLICIES_APPROVE, name="second")
    answer = await approver.post(f"/v1/{path}/approve")
    assert answer.status_code == 200, answer.text


def levels(run: Any) -> dict[str, int]:
    return {notice["customer_id"]: notice["level"] for notice in run["notices"]}


class TestProcedure:
    async def test_is_that_of_the_customer_s_profile(self, company: Company) -> None:
        await company.rules(LEVELS, profiles={"gentle": GENTLE})
        await company.customer("C2", profile="gentle")
        for customer in ("C1", "C2"):
            await company.owes(f"I-{customer}", customer_id=customer, overdue=10)
        run = await company.proposes()
        assert levels(run) == {"C1": 1}
        assert [(skip["customer_id"], skip["reason"]) for skip in run["skipped"]] == [("C2", "before_first_level")]

    async def test_is_that_of_the_customer_s_override(self, company: Company, api_as: ApiAs) -> None:
        await override(company, api_as, GENTLE)
        await company.customer("C2")
        for customer in ("C1", "C2"):
            await company.owes(f"I-{customer}", customer_id=customer, overdue=10)
        assert levels(await company.proposes()) == {"C2": 1}

    async def test_may_remind_only_one_customer_before_the_due_day(self, company: Company, api_as: ApiAs) -> None:
        await override(company, api_as, EARLY)
        await company.customer("C2")
        for customer in ("C1", "C2"):
            await company.owes(f"I-{customer}", customer_id=customer, overdue=-3)
        run = await company.proposes()
        assert (levels(run), run["skipped"]) == ({"C1": 0}, [])


class TestItems:
    async def test_that_are_written_off_settle_the_notice(self, company: Company) -> None:
        await company.owes()
        await company.reminds()
        body = {"reason": "insolvent", "category": "insolvency"}
        await company.post("invoices/INV-1/write-off", body)
        assert ((await company.notice())["state"], await company.level()) == ("settled", 0)

    async def test_that_a_credit_note_covered_are_reminded_of_once_it_is_cancelled(self, company: Company) -> None:
        await company.owes()
        note = {"invoice_no": "CN", "customer_id": "C1", "kind": "credit_note", "amount": "100.00", "currency": "CNY"}
        await company.post("invoices", {**note, "issued_on": TODAY.isoformat()})
        covered = await company.proposes()
        assert (covered["notices"], covered["skipped"][0]["reason"]) == ([], "covered_by_credits")
        await company.post("invoices/CN/cancel", {"reason": "by mistake"})
        assert levels(await company.proposes()) == {"C1": 1}


class TestPrintQueue:
    async def test_gives_each_letter_to_one_of_those_who_print_at_once(self, company: Company) -> None:
        await company.owes()
        await company.reminds()
        path = f"/v1/dunning-notices/{(await company.notice())['id']}/printed"
        answers = await asyncio.gather(*(company.api.post(path) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
        assert len(await company.events("dunning_notice_printed")) == 1

    async def test_says_the_same_again_to_who_asks_with_the_same_key(self, company: Company) -> None:
        await company.owes()
        await company.reminds()
        path = f"/v1/dunning-notices/{(await company.notice())['id']}/printed"
        first, again = [await company.api.post(path, headers={"Idempotency-Key": "p1"}) for _ in range(2)]
        assert (first.status_code, again.status_code, again.content) == (200, 200, first.content)
