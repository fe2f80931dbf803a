"""Assessments over HTTP: what goes in, what comes out, what the account and the journal learn of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient
from sqlalchemy import text

from app.domains.assessments import service as assessments
from app.infra.clock import FrozenClock
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from app.support.auth.core.scopes import Scope
from tests.domains.assessments.http import (
    TODAY,
    assess,
    buy_and_pay,
    file_report,
    file_statement,
    open_account,
    revise_policy,
    said,
)
from tests.support.api import ApiAs


def factor(assessment: dict[str, Any], code: str) -> dict[str, Any]:
    """One factor of an answer."""
    found: dict[str, Any] = next(each for each in assessment["factors"] if each["code"] == code)
    return found


class TestAssess:
    async def test_scores_from_statements_reports_and_own_experience(self, api: AsyncClient) -> None:
        await open_account(api)
        await file_statement(api)
        await file_report(api, 2)
        await buy_and_pay(api, days_late=10)
        found = await assess(api)
        assert factor(found, "equity_ratio") | {"weight": None} == {
            "code": "equity_ratio",
            "name": "Equity ratio",
            "group": "financial",
            "weight": None,
            "value": "0.4500",
            "band": {"at_least": "0.4", "below": "0.5"},
            "points": "16.00",
            "max_points": "21.33",
            "source": "annual report",
            "independence": "audited",
            "as_of": f"{TODAY.year - 1}-12-31",
            "age_days": 61,
            "missing": False,
        }
        assert factor(found, "agency_score")["value"] == "75.0000"  # 2 of 1 to 5, where 1 is best
        assert factor(found, "payment_index")["value"] == "73.3300"
        assert factor(found, "payment_index")["independence"] == "own_experience"
        points = sum(Decimal(each["points"]) for each in found["factors"])
        assert abs(Decimal(found["score"]) - points) <= Decimal("0.05")
        assert found["confidence"]["percent"] == "74.00"
        assert 0 < Decimal(found["probability_of_default"]) < Decimal("0.05")
        assert found["review_on"] > str(TODAY)

    async def test_recommends_a_limit_and_names_what_binds(self, api: AsyncClient) -> None:
        await open_account(api, payment_terms={"kind": "account", "net_days": 30})
        await file_statement(api)
        await buy_and_pay(api)
        limit = (await assess(api))["recommended_limit"]
        methods = {each["method"]: each["amount"] for each in limit["methods"]}
        assert methods["tangible_net_worth"] == "180000.00"
        assert methods["annual_sales"] == "250000.00"
        assert methods["requirement"] == "1200.00"  # 1,000 a month × 30/30 × 1.2
        assert (limit["binding"], limit["amount"], limit["currency"]) == ("requirement", "1000.00", "CNY")

    async def test_counts_a_cover_and_a_statement_in_another_currency(self, api: AsyncClient) -> None:
        await open_account(api)
        await file_statement(api, currency="EUR")
        cover = {
            "provider": "insurer",
            "kind": "insurance",
            "status": "approved",
            "amount": "50000.00",
            "currency": "EUR",
            "insured_percent": "90",
            "valid_from": str(TODAY),
        }
        unconverted = {each["method"]: each["amount"] for each in (await assess(api))["recommended_limit"]["methods"]}
        assert unconverted["annual_sales"] is None
        said(await api.put(f"/v1/fx-rates/{TODAY}", json={"base": "EUR", "rates": {"CNY": "8"}}), 201)
        said(await api.put("/v1/customers/C-1/covers/P-1", json=cover), 201)
        methods = {each["method"]: each["amount"] for each in (await assess(api))["recommended_limit"]["methods"]}
        assert (methods["cover"], methods["annual_sales"]) == ("400000.00", "2000000.00")

    async def test_gives_reasons_in_the_language_asked_for(self, api: AsyncClient) -> None:
        await open_account(api)
        await file_statement(api)
        english = await assess(api)
        chinese = await assess(api, **{"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"})
        assert english["reasons"][0]["message"].startswith("Equity ratio: 0.45")
        assert chinese["reasons"][0]["message"].startswith("权益比率：0.45")
        assert chinese["factors"][0]["name"] == "权益比率"
        assert "足以升至" in chinese["lifts"][0]["message"]
        assert [each["code"] for each in english["reasons"]] == [each["code"] for each in chinese["reasons"]]

    async def test_finds_the_same_again_from_the_same_facts(self, api: AsyncClient) -> None:
        await open_account(api)
        await file_statement(api)
        one, other = await assess(api), await assess(api)
        assert one["facts_digest"] == other["facts_digest"]
        told = ("id", "assessed_at")
        assert {k: v for k, v in one.items() if k not in told} == {k: v for k, v in other.items() if k not in told}
        await file_report(api, 5)
        assert (await assess(api))["facts_digest"] != one["facts_digest"]

    async def test_knows_nothing_of_what_became_known_later(self, api: AsyncClient, clock: FrozenClock) -> None:
        await open_account(api)
        before = await assess(api)
        clock.move(by=timedelta(days=1))
        await file_statement(api)
        assert said(await api.get(f"/v1/assessments/{before['id']}"), 200) == before

    async def test_is_possible_without_an_account_and_told_to_it_later(self, api: AsyncClient) -> None:
        said(await api.put("/v1/customers/C-1", json={"name": "C-1", "country": "CN"}), 201)
        await file_statement(api)
        grade = (await assess(api))["grade"]
        said(await api.put("/v1/customers/C-1/accounts/main", json={"currency": "CNY"}), 201)
        assert said(await api.get("/v1/customers/C-1/accounts/main"), 200)["grade"] == grade

    @pytest.mark.parametrize("path", ["/v1/customers/C-2/assessments", "/v1/customers/C-2/assessments?segment=main"])
    async def test_of_nobody_is_refused(self, api: AsyncClient, path: str) -> None:
        assert said(await api.get(path), 404)["code"] == "customer_not_found"

    async def test_needs_a_scorecard(self, api: AsyncClient, api_as: ApiAs) -> None:
        await open_account(api)
        second = await api_as(Scope.ADMIN)
        await revise_policy(api, second, scorecard=None)
        answer = await api.post("/v1/customers/C-1/assessments", json={})
        assert said(answer, 409)["code"] == "scorecard_missing"

    async def test_has_a_second_effect_for_no_retry(self, api: AsyncClient) -> None:
        await open_account(api)
        headers = {"Idempotency-Key": "once"}
        one = await api.post("/v1/customers/C-1/assessments", json={}, headers=headers)
        other = await api.post("/v1/customers/C-1/assessments", json={}, headers=headers)
        assert one.content == other.content
        assert len(said(await api.get("/v1/customers/C-1/assessments"), 200)["items"]) == 1


class TestAccount:
    async def test_is_judged_by_grade_and_day(self, api: AsyncClient, api_as: ApiAs, clock: FrozenClock) -> None:
        await open_account(api)
        await file_statement(api, total_liabilities=3_900_000, equity=100_000)
        limit = {"kind": "granted", "amount": "1000.00", "reason": "test"}
        assert (await api.post("/v1/customers/C-1/accounts/main/limit", json=limit)).is_success
        checks = said(await api.get("/v1/policies/main"), 200)["document"]["order_checks"]
        rules = {
            "grade": {"effect": "refer", "worst_allowed": "B"},
            "assessment_age": {"effect": "refer", "max_days": 30},
        }
        await revise_policy(api, await api_as(Scope.ADMIN), order_checks=checks | rules)

        async def objections(ref: str) -> set[str]:
            order = {"customer_id": "C-1", "order_ref": ref, "amount": "1.00", "currency": "CNY"}
            answer = said(await api.post("/v1/credit-checks", json=order), 201)
            return {reason["code"] for reason in answer["reasons"]}

        assert "assessment_missing" in await objections("O-1")
        assert (await assess(api))["grade"] not in ("A", "B")
        assert await objections("O-2") == {"grade_too_low"}
        await file_statement(api)
        assert (await assess(api))["grade"] in ("A", "B")
        assert await objections("O-3") == set()
        clock.move(by=timedelta(days=31))
        assert await objections("O-4") == {"assessment_stale"}


class TestList:
    async def test_pages_the_latest_first(self, api: AsyncClient, clock: FrozenClock) -> None:
        await open_account(api)
        made = []
        for _ in range(3):
            made.append((await assess(api))["id"])
            clock.move(by=timedelta(minutes=1))
        first = said(await api.get("/v1/customers/C-1/assessments?limit=2"), 200)
        rest = said(await api.get(f"/v1/customers/C-1/assessments?limit=2&cursor={first['next_cursor']}"), 200)
        assert [each["id"] for each in [*first["items"], *rest["items"]]] == made[::-1]

    async def test_keeps_other_segments_from_whoever_is_confined(self, api: AsyncClient, api_as: ApiAs) -> None:
        await open_account(api)
        found = await assess(api)
        body = {"name": "West", "currency": "EUR", "time_zone": "UTC"}
        assert (await api.put("/v1/segments/west", json=body)).is_success
        confined = await api_as(Scope.ASSESSMENTS_WRITE, segments=["west"])
        assert said(await confined.get(f"/v1/assessments/{found['id']}"), 404)["code"] == "assessment_not_found"
        assert said(await confined.get(f"/v1/assessments/{found['id']}/replay"), 404)["code"] == "assessment_not_found"
        assert said(await confined.get("/v1/customers/C-1/assessments"), 200)["items"] == []
        answer = await confined.post("/v1/customers/C-1/assessments", json={})
        assert answer.status_code == 404

    async def test_knows_no_other_assessment(self, api: AsyncClient) -> None:
        assert said(await api.get(f"/v1/assessments/{uuid4()}"), 404)["code"] == "assessment_not_found"


class TestReplay:
    async def test_comes_out_the_same_under_the_policy_of_then(self, api: AsyncClient, api_as: ApiAs) -> None:
        await open_account(api)
        await file_statement(api)
        found = await assess(api)
        scorecard = said(await api.get("/v1/policies/main"), 200)["document"]["scorecard"]
        for group in scorecard["groups"]:
            for rule in group["factors"]:
                rule["bands"] = [{"points": "1"}]
        await revise_policy(api, await api_as(Scope.ADMIN), scorecard=scorecard)
        assert (await assess(api))["grade"] == "H"
        replayed = said(await api.get(f"/v1/assessments/{found['id']}/replay"), 200)
        assert (replayed["identical"], replayed["differing"]) == (True, [])
        assert replayed["replayed"]["score"] == found["score"]
        assert replayed["facts"]["statements"][0]["figures"]["revenue"] == "5000000"

    async def test_says_what_was_tampered_with(self, api: AsyncClient, transactions: Transactions) -> None:
        await open_account(api)
        await file_statement(api)
        found = await assess(api)
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            await tx.session.execute(
                text(
                    "update assessments set facts = jsonb_set(facts, '{company,country}', '\"DE\"'),"
                    " finding = jsonb_set(finding, '{grade}', '\"A\"')"
                )
            )
        replayed = said(await api.get(f"/v1/assessments/{found['id']}/replay"), 200)
        assert replayed["identical"] is False
        assert set(replayed["differing"]) == {"grade", "facts_digest"}


class TestJournal:
    async def test_tells_of_each_assessment_once_with_what_changed(
        self, api: AsyncClient, transactions: Transactions
    ) -> None:
        await open_account(api)
        first = await assess(api)
        await file_statement(api)
        second = await assess(api)
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            rows = (
                await tx.session.execute(
                    text("select subject_id, before, after from events where type = 'customer_assessed' order by id")
                )
            ).all()
        assert [row.subject_id for row in rows] == [first["id"], second["id"]]
        assert rows[0].before == {}
        assert (rows[1].before["grade"], rows[1].after["grade"]) == (first["grade"], second["grade"])


class TestService:
    async def test_hands_the_latest_to_other_slices(self, api: AsyncClient, transactions: Transactions) -> None:
        await open_account(api)
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            assert await assessments.latest(tx, customer_id="C-1", segment="main") is None
            made = await assessments.assess(tx, customer_id="C-1", segment="main")
            assert await assessments.latest(tx, customer_id="C-1", segment="main") == made
            assert made.recommended_limit.currency == "CNY"
            assert (made.assessed_on, made.grade) == (TODAY, "E")
