"""Statements, reports, references and adverse events over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text

from app.infra.clock import FrozenClock
from app.support.auth.core.scopes import Role, Scope
from tests.domains.credit_data.http import ADVERSE, C1, FIGURES, REFERENCE, REPORT, STATEMENT, body, customer, faults
from tests.support.api import ApiAs

POSTED = [("credit-reports", REPORT), ("trade-references", REFERENCE), ("adverse-events", ADVERSE)]
Y2025 = f"{C1}/financial-statements/2025-12-31"


async def events(app: FastAPI) -> list[tuple[str, int]]:
    async with app.state.engine.connect() as connection:
        rows = await connection.execute(
            text(
                "select type, count(*) from events where type not like 'customer%' and type not like 'account%'"
                " group by type order by type"
            )
        )
        return [tuple(row) for row in rows]


class TestStatements:
    async def test_go_in_and_come_out(self, api: AsyncClient) -> None:
        await customer(api)
        made = await api.put(Y2025, json=STATEMENT)
        said = body(made, 201)
        assert made.headers["ETag"] == '"1"'
        assert (said["period_end"], said["months"], said["audited"]) == ("2025-12-31", 12, True)
        assert (said["independence"], said["source"], said["entered_by"]) == ("audited", "annual report", "bootstrap")
        assert said["figures"] == {name: FIGURES.get(name) for name in said["figures"]}
        assert len(said["figures"]) == 23
        assert body(await api.get(Y2025)) == said

    async def test_are_self_declared_unless_audited(self, api: AsyncClient) -> None:
        await customer(api)
        said = body(await api.put(Y2025, json={"currency": "USD", "figures": {"revenue": 5}}), 201)
        assert (said["independence"], said["source"], said["figures"]["revenue"]) == ("self_declared", "customer", "5")

    async def test_again_change_nothing(self, api: AsyncClient, app: FastAPI) -> None:
        await customer(api)
        first = body(await api.put(Y2025, json=STATEMENT), 201)
        again = await api.put(Y2025, json=STATEMENT | {"figures": FIGURES | {"total_assets": "1000"}})
        assert body(again) == first
        assert await events(app) == [("financial_statement_filed", 1)]

    async def test_corrected_are_a_new_version(self, api: AsyncClient, app: FastAPI, clock: FrozenClock) -> None:
        await customer(api)
        first = body(await api.put(Y2025, json=STATEMENT), 201)
        before = clock.now()
        clock.move(by=timedelta(hours=1))
        fixed = STATEMENT | {"figures": FIGURES | {"revenue": "6000000"}}
        second = await api.put(Y2025, json=fixed, headers={"If-Match": '"1"'})
        assert body(second)["version"] == 2
        assert second.headers["ETag"] == '"2"'
        assert body(await api.get(Y2025, params={"as_of": before.isoformat()})) == first
        assert (await api.get(Y2025, params={"as_of": (before - timedelta(hours=1)).isoformat()})).status_code == 404
        assert body(await api.get(Y2025))["figures"]["revenue"] == "6000000"
        versions = body(await api.get(f"{C1}/credit-records/{first['id']}/versions"))["versions"]
        assert [(v["version"], v["content"]["figures"]["revenue"]) for v in versions] == [
            (1, "5000000"),
            (2, "6000000"),
        ]
        assert versions[0]["superseded_at"] == versions[1]["known_at"]
        assert await events(app) == [("financial_statement_filed", 2)]

    async def test_edited_by_somebody_else_meanwhile_are_refused(self, api: AsyncClient) -> None:
        await customer(api)
        await api.put(Y2025, json=STATEMENT)
        refused = await api.put(Y2025, json=STATEMENT | {"months": 6}, headers={"If-Match": '"7"'})
        assert body(refused, 412)["code"] == "version_stale"

    async def test_with_figures_that_disagree_are_refused_at_each(self, api: AsyncClient) -> None:
        await customer(api)
        wrong = FIGURES | {"equity": "289", "current_liabilities": "800", "cash": "-1"}
        assert faults(await api.put(Y2025, json=STATEMENT | {"figures": wrong})) == [
            ("/figures/cash", "figures_disagree"),
            ("/figures/total_assets", "figures_disagree"),
            ("/figures/current_liabilities", "figures_disagree"),
        ]

    @pytest.mark.parametrize(
        ("changed", "fault"),
        [
            ({"figures": {}}, ("/figures", "figures_missing")),
            ({"figures": {"turnover": 1}}, ("/figures/turnover", "unknown_field")),
            ({"figures": {"revenue": 1.5}}, ("/figures/revenue", "amount_not_decimal")),
            ({"currency": "XXX"}, ("/currency", "currency_unknown")),
            ({"months": 25}, ("/months", "less_than_equal")),
        ],
    )
    async def test_that_make_no_sense_are_refused(
        self, api: AsyncClient, changed: dict[str, Any], fault: tuple[str, str]
    ) -> None:
        await customer(api)
        assert faults(await api.put(Y2025, json=STATEMENT | changed)) == [fault]

    async def test_of_a_period_still_to_end_are_refused(self, api: AsyncClient) -> None:
        await customer(api)
        refused = await api.put(f"{C1}/financial-statements/2026-12-31", json=STATEMENT)
        assert faults(refused) == [("/path/period_end", "day_ahead")]

    async def test_of_several_years_and_currencies_are_listed(self, api: AsyncClient, clock: FrozenClock) -> None:
        await customer(api)
        for year, currency in ((2023, "USD"), (2025, "CNY"), (2024, "EUR")):
            clock.move(by=timedelta(minutes=1))
            await api.put(f"{C1}/financial-statements/{year}-12-31", json=STATEMENT | {"currency": currency})
        listed = body(await api.get(f"{C1}/financial-statements", params={"limit": 2}))
        assert [each["period_end"] for each in listed["items"]] == ["2024-12-31", "2025-12-31"]
        rest = await api.get(f"{C1}/financial-statements", params={"limit": 2, "cursor": listed["next_cursor"]})
        assert [each["currency"] for each in body(rest)["items"]] == ["USD"]
        file = body(await api.get(f"{C1}/credit-file"))
        assert [each["period_end"][:4] for each in file["financial_statements"]] == ["2025", "2024", "2023"]

    async def test_of_nobody_are_refused(self, api: AsyncClient) -> None:
        assert body(await api.put(Y2025, json=STATEMENT), 404)["code"] == "customer_not_found"
        assert body(await api.get(f"{C1}/financial-statements"), 404)["code"] == "customer_not_found"
        assert body(await api.get(f"{C1}/credit-file"), 404)["code"] == "customer_not_found"


class TestReports:
    async def test_show_their_score_on_its_scale_and_normalised(self, api: AsyncClient) -> None:
        await customer(api)
        said = body(await api.post(f"{C1}/credit-reports", json=REPORT), 201)
        assert (said["score"], said["normalised_score"], said["independence"]) == ("2", "75.00", "agency")
        assert said["scale"] == REPORT["scale"]
        assert said["recommended_limit"] == REPORT["recommended_limit"]
        percentile = REPORT | {
            "report_ref": "R-2",
            "scale": {"min": "1", "max": "100", "higher_is_better": True},
        }
        assert body(await api.post(f"{C1}/credit-reports", json=percentile), 201)["normalised_score"] == "1.01"

    async def test_again_are_what_there_is(self, api: AsyncClient) -> None:
        await customer(api)
        first = body(await api.post(f"{C1}/credit-reports", json=REPORT), 201)
        assert body(await api.post(f"{C1}/credit-reports", json=REPORT)) == first

    async def test_that_say_something_else_are_a_conflict_and_corrected_by_put(self, api: AsyncClient) -> None:
        await customer(api)
        first = body(await api.post(f"{C1}/credit-reports", json=REPORT), 201)
        other = REPORT | {"score": "4"}
        refused = body(await api.post(f"{C1}/credit-reports", json=other), 409)
        assert (refused["code"], refused["record_id"]) == ("credit_report_conflict", first["id"])
        corrected = body(await api.put(f"{C1}/credit-reports/{first['id']}", json=other))
        assert (corrected["version"], corrected["normalised_score"]) == (2, "25.00")
        renamed = await api.put(f"{C1}/credit-reports/{first['id']}", json=other | {"report_ref": "R-9"})
        assert body(renamed, 409)["code"] == "credit_report_conflict"

    @pytest.mark.parametrize(
        ("changed", "fault"),
        [
            ({"score": "9"}, ("/score", "score_outside_scale")),
            ({"scale": None}, ("/scale", "scale_missing")),
            ({"probability_of_default": "1.2"}, ("/probability_of_default", "probability_out_of_range")),
            ({"reported_on": "2026-03-10"}, ("/reported_on", "day_ahead")),
            ({"agency": "D/B"}, ("/agency", "string_pattern_mismatch")),
            (
                {"recommended_limit": {"amount": "1.005", "currency": "EUR"}},
                ("/recommended_limit/amount", "too_many_decimals"),
            ),
        ],
    )
    async def test_that_make_no_sense_are_refused(
        self, api: AsyncClient, changed: dict[str, Any], fault: tuple[str, str]
    ) -> None:
        await customer(api)
        assert faults(await api.post(f"{C1}/credit-reports", json=REPORT | changed)) == [fault]


class TestWhatIsPosted:
    @pytest.mark.parametrize(("path", "said"), POSTED)
    async def test_comes_out_as_it_went_in(self, api: AsyncClient, path: str, said: dict[str, Any]) -> None:
        await customer(api)
        made = body(await api.post(f"{C1}/{path}", json=said), 201)
        assert {name: made[name] for name in said} == said
        assert body(await api.get(f"{C1}/{path}/{made['id']}")) == made
        assert body(await api.get(f"{C1}/{path}"))["items"] == [made]
        file = body(await api.get(f"{C1}/credit-file"))
        assert file[path.replace("-", "_")] == [made]

    @pytest.mark.parametrize(("path", "said"), POSTED)
    async def test_is_corrected_by_a_new_version(
        self, api: AsyncClient, clock: FrozenClock, path: str, said: dict[str, Any]
    ) -> None:
        await customer(api)
        made = body(await api.post(f"{C1}/{path}", json=said), 201)
        before = clock.now().isoformat()
        clock.move(by=timedelta(days=1))
        day = next(name for name in ("reported_on", "occurred_on") if name in said)
        put = await api.put(f"{C1}/{path}/{made['id']}", json=said | {day: "2026-01-02"}, headers={"If-Match": '"1"'})
        assert body(put) == {**body(put), "version": 2, day: "2026-01-02"}
        assert body(await api.get(f"{C1}/{path}/{made['id']}", params={"as_of": before})) == made
        assert body(await api.get(f"{C1}/{path}", params={"as_of": before}))["items"] == [made]
        assert len(body(await api.get(f"{C1}/{path}"))["items"]) == 1
        assert body(await api.get(f"{C1}/credit-file", params={"as_of": before}))[path.replace("-", "_")] == [made]

    @pytest.mark.parametrize(("path", "said"), POSTED)
    async def test_is_taken_back_for_a_reason(
        self, api: AsyncClient, app: FastAPI, clock: FrozenClock, path: str, said: dict[str, Any]
    ) -> None:
        await customer(api)
        made = body(await api.post(f"{C1}/{path}", json=said), 201)
        before = clock.now().isoformat()
        clock.move(by=timedelta(days=1))
        retract = f"{C1}/credit-records/{made['id']}/retract"
        told = body(await api.post(retract, json={"reason": "another company"}))
        assert [(v["retracted"], v["reason"]) for v in told["versions"]] == [(False, None), (True, "another company")]
        assert (await api.get(f"{C1}/{path}/{made['id']}")).status_code == 404
        assert body(await api.get(f"{C1}/{path}"))["items"] == []
        assert body(await api.get(f"{C1}/{path}/{made['id']}", params={"as_of": before})) == made
        assert (await api.put(f"{C1}/{path}/{made['id']}", json=said)).status_code == 404
        assert body(await api.post(retract, json={"reason": "twice"}), 404)["code"] == "credit_record_not_found"
        assert ("credit_record_retracted", 1) in await events(app)

    async def test_is_not_another_customer_s(self, api: AsyncClient) -> None:
        await customer(api)
        await customer(api, "C2")
        made = body(await api.post(f"{C1}/adverse-events", json=ADVERSE), 201)
        assert (await api.get(f"/v1/customers/C2/adverse-events/{made['id']}")).status_code == 404
        assert (await api.get(f"{C1}/trade-references/{made['id']}")).status_code == 404
        assert (await api.get(f"/v1/customers/C2/credit-records/{made['id']}/versions")).status_code == 404

    async def test_under_one_idempotency_key_is_filed_once(self, api: AsyncClient) -> None:
        await customer(api)
        send = {"json": ADVERSE, "headers": {"Idempotency-Key": "k1"}}
        first, again = [await api.post(f"{C1}/adverse-events", **send) for _ in range(2)]  # type: ignore[arg-type]
        assert first.content == again.content
        assert len(body(await api.get(f"{C1}/adverse-events"))["items"]) == 1

    async def test_that_was_resolved_before_it_occurred_is_refused(self, api: AsyncClient) -> None:
        await customer(api)
        wrong = ADVERSE | {"resolved_on": "2026-01-14"}
        assert faults(await api.post(f"{C1}/adverse-events", json=wrong)) == [("/resolved_on", "resolved_too_early")]

    async def test_may_be_retracted_and_entered_anew_under_its_reference(self, api: AsyncClient) -> None:
        await customer(api)
        made = body(await api.post(f"{C1}/credit-reports", json=REPORT), 201)
        await api.post(f"{C1}/credit-records/{made['id']}/retract", json={"reason": "wrong"})
        anew = body(await api.post(f"{C1}/credit-reports", json=REPORT | {"score": "5"}), 201)
        assert (anew["id"], anew["version"]) == (made["id"], 3)


class TestScopes:
    async def test_let_analysts_write_and_auditors_read(self, api: AsyncClient, api_as: ApiAs) -> None:
        await customer(api)
        analyst = await api_as(role=Role.CREDIT_ANALYST)
        auditor = await api_as(role=Role.AUDITOR)
        seller = await api_as(Scope.ORDERS_CHECK)
        assert (await analyst.put(Y2025, json=STATEMENT)).status_code == 201
        assert (await auditor.get(Y2025)).status_code == 200
        assert (await auditor.put(Y2025, json=STATEMENT)).status_code == 403
        assert (await seller.get(Y2025)).status_code == 403

    async def test_take_references_with_slashes(self, api: AsyncClient) -> None:
        name = quote("A/S", safe="")
        await api.put(f"/v1/customers/{name}", json={"name": "A", "country": "CN"})
        assert (await api.post(f"/v1/customers/{name}/adverse-events", json=ADVERSE)).status_code == 201
