"""Audits: drawn at random and again, found by one, signed off by another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import text

from app.domains.control.core.audits import AUDITS, AuditState
from app.infra.clock import FrozenClock
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM, ActorKind
from app.support.auth.core.scopes import Role, Scope
from tests.domains.control.conftest import seal
from tests.domains.limits.world import approve, ask, people, reject
from tests.infra.http.test_problem import problem
from tests.support.api import ApiAs
from tests.support.business import check

PERIOD = {"from": "2026-03-01", "to": "2026-03-31"}
NOTHING = {"credit_check": 0, "limit": 0, "release": 0, "write_off": 0}
Json = dict[str, Any]


async def draw(client: AsyncClient, sizes: Json | None = None, **more: Any) -> Json:
    body = {**PERIOD, **more} | ({} if sizes is None else {"sizes": {**NOTHING, **sizes}})
    answer = await client.post("/v1/audits", json=body)
    assert answer.status_code == 201, answer.text
    drawn: Json = answer.json()
    return drawn


async def find(client: AsyncClient, audit: Json, position: int = 1, **more: Any) -> Response:
    body = {"finding": "satisfactory", "note": "as it should be", **more}
    return await client.post(f"/v1/audits/{audit['id']}/items/{position}/finding", json=body)


async def sign(client: AsyncClient, audit: Json) -> Response:
    return await client.post(f"/v1/audits/{audit['id']}/sign-off", json={"conclusion": "in order"})


async def events(transactions: Transactions, of: str) -> list[Json]:
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        rows = await tx.session.execute(text("select * from events where type = :of order by id"), {"of": of})
        return [dict(row) for row in rows.mappings()]


def drawn_places(audit: Json) -> list[int]:
    return [item["seq"] for item in audit["items"]]


@pytest.mark.usefixtures("decided")
class TestDraw:
    async def test_takes_decisions_of_each_kind(self, ann: AsyncClient) -> None:
        audit = await draw(ann, {"credit_check": 5, "limit": 5, "release": 5, "write_off": 5})
        kinds = [item["kind"] for item in audit["items"]]
        assert {kind: kinds.count(kind) for kind in NOTHING} == {
            "credit_check": 5,
            "limit": 1,
            "release": 2,
            "write_off": 0,
        }
        assert audit["population"] == {"credit_check": 12, "limit": 1, "release": 2, "write_off": 0}
        assert [item["position"] for item in audit["items"]] == list(range(1, 9))
        assert (audit["state"], audit["drawn_by"]) == ("open", "ann")

    async def test_is_random_and_can_be_repeated(self, ann: AsyncClient, bob: AsyncClient) -> None:
        first = await draw(ann, {"credit_check": 4})
        again = await draw(bob, {"credit_check": 4}, seed=first["seed"])
        others = [await draw(ann, {"credit_check": 4}) for _ in range(5)]
        assert drawn_places(again) == drawn_places(first)
        assert any(drawn_places(other) != drawn_places(first) for other in others)
        assert len({other["seed"] for other in (first, *others)}) == 6

    async def test_leaves_what_was_not_sealed_out(
        self, ann: AsyncClient, api: AsyncClient, transactions: Transactions
    ) -> None:
        await api.post("/v1/credit-checks", json=check("C1", "LATE", "1"))
        assert (await draw(ann, {"credit_check": 1}))["population"] == {"credit_check": 12}
        await seal(transactions)
        assert (await draw(ann, {"credit_check": 1}))["population"] == {"credit_check": 13}

    async def test_keeps_to_the_days_of_the_segment(self, ann: AsyncClient) -> None:
        for since, until, there in (
            ("2026-03-02", "2026-03-02", 12),
            ("2026-03-03", "2026-03-31", 0),
            ("2026-02-01", "2026-03-01", 0),
        ):
            audit = await draw(ann, {"credit_check": 1}, **{"from": since, "to": until})
            assert audit["population"] == {"credit_check": there}

    async def test_decides_each_credit_check_again(self, ann: AsyncClient, transactions: Transactions) -> None:
        assert {item["replayed"] for item in (await draw(ann, {"credit_check": 100}))["items"]} == {"identical"}
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            forged = "update credit_checks set answer = replace(answer::text, '\"approved\"', '\"declined\"')::json"
            await tx.session.execute(text(f"{forged} where order_ref = 'O-1'"))
            await tx.session.execute(text("delete from credit_checks where order_ref = 'O-2'"))
        items = (await draw(ann, {"credit_check": 100}))["items"]
        told = {item["after"]["order_ref"]: (item["replayed"], item["differing"]) for item in items}
        assert told["O-1"] == ("different", ["outcome"])
        assert told["O-2"] == ("gone", [])
        assert told["O-3"] == ("identical", [])

    async def test_tells_who_decided_and_what(self, ann: AsyncClient) -> None:
        [item] = (await draw(ann, {"limit": 5}))["items"]
        assert (item["actor"], item["type"], item["replayed"]) == ("rita", "limit_set", "not_applicable")
        assert item["after"]["amount"] == "1000.00"
        assert (item["finding"], item["found_by"]) == (None, None)

    async def test_judges_limit_requests_again(
        self, ann: AsyncClient, api: AsyncClient, api_as: ApiAs, transactions: Transactions
    ) -> None:
        """Granted and declined ones; a limit that was requested is one decision, told by what became of the request."""
        staff = await people(api_as)
        meant = {"customer_id": "C1", "acknowledge_overdrawn": True}
        asked = [await ask(staff.ana, amount, **meant) for amount in ("5000", "6000", "900")]
        (await approve(staff.max, asked[0])).raise_for_status()
        (await reject(staff.mia, asked[1])).raise_for_status()
        await seal(transactions)
        audit = await draw(ann, {"limit": 10})
        assert audit["population"] == {"limit": 4}
        told = {item["subject"]["id"]: (item["type"], item["actor"], item["replayed"]) for item in audit["items"]}
        assert [told[request["id"]] for request in asked] == [
            ("limit_request_approved", "max", "identical"),
            ("limit_request_declined", "mia", "identical"),
            ("limit_request_approved", "ana", "identical"),
        ]

    async def test_finds_a_limit_request_that_was_bent(
        self, ann: AsyncClient, api_as: ApiAs, transactions: Transactions
    ) -> None:
        staff = await people(api_as)
        await ask(staff.ana, "900", customer_id="C1", acknowledge_overdrawn=True)
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            bent = 'update limit_requests set facts = replace(facts, \'"outcome":"grant"\', \'"outcome":"decline"\')'
            await tx.session.execute(text(bent))
        await seal(transactions)
        [item] = [item for item in (await draw(ann, {"limit": 10}))["items"] if item["type"] != "limit_set"]
        assert (item["replayed"], item["differing"]) == ("different", ["outcome"])

    async def test_is_journalled_once(self, ann: AsyncClient, transactions: Transactions) -> None:
        audit = await draw(ann, {"limit": 5})
        [event] = await events(transactions, "audit_drawn")
        assert (event["actor"], event["subject_id"]) == ("ann", audit["id"])
        assert event["after"]["seed"] == audit["seed"]

    @pytest.mark.parametrize(
        ("wish", "code"),
        [
            ({"from": "2026-03-02", "to": "2026-03-01"}, "audit_period_invalid"),
            ({"from": "2025-01-01", "to": "2026-03-01"}, "audit_period_invalid"),
            ({"segment": "nowhere"}, "segment_not_found"),
            ({"sizes": {"limit": 101}}, "request_invalid"),
            ({"seed": "a b"}, "request_invalid"),
        ],
    )
    async def test_refuses_what_cannot_be_drawn(self, ann: AsyncClient, wish: Json, code: str) -> None:
        answer = await ann.post("/v1/audits", json={**PERIOD, **wish})
        assert answer.json()["code"] == code

    async def test_is_for_auditors_who_are_persons(self, rita: AsyncClient, api_as: ApiAs) -> None:
        problem(await rita.post("/v1/audits", json=PERIOD), 403, "scope_missing")
        robot = await api_as(Scope.AUDITS_WRITE, kind=ActorKind.SERVICE)
        problem(await robot.post("/v1/audits", json=PERIOD), 403, "person_required")

    async def test_of_another_segment_is_hidden(self, ann: AsyncClient, api_as: ApiAs) -> None:
        audit = await draw(ann, {"limit": 5})
        stranger = await api_as(role=Role.AUDITOR, segments=["eu"])
        problem(await stranger.get(f"/v1/audits/{audit['id']}"), 404, "audit_not_found")
        problem(await find(stranger, audit), 404, "audit_not_found")
        problem(await sign(stranger, audit), 404, "audit_not_found")


@pytest.mark.usefixtures("decided")
class TestFinding:
    async def test_is_kept_with_who_found_it(self, ann: AsyncClient, transactions: Transactions) -> None:
        audit = await draw(ann, {"limit": 5})
        found = (await find(ann, audit, finding="exception", note="no assessment")).json()
        [item] = found["items"]
        assert (item["finding"], item["note"], item["found_by"]) == ("exception", "no assessment", "ann")
        assert (await ann.get(f"/v1/audits/{audit['id']}")).json() == found
        [event] = await events(transactions, "audit_finding_recorded")
        assert event["after"] == {"position": 1, "finding": "exception", "note": "no assessment"}

    async def test_may_change_until_the_sign_off(
        self, ann: AsyncClient, bob: AsyncClient, transactions: Transactions
    ) -> None:
        audit = await draw(ann, {"limit": 5})
        for _ in range(2):
            await find(ann, audit)
        await find(ann, audit, finding="exception")
        assert len(await events(transactions, "audit_finding_recorded")) == 2
        await sign(bob, audit)
        problem(await find(ann, audit), 409, "audit_signed_off")

    async def test_is_not_of_ones_own_decision(self, api_as: ApiAs, ann: AsyncClient) -> None:
        audit = await draw(ann, {"limit": 5})
        both = await api_as(Scope.AUDITS_WRITE, name="rita the second")
        assert (await find(both, audit)).status_code == 200
        namesake = await rename(api_as)
        problem(await find(namesake, audit), 403, "four_eyes")

    async def test_of_what_was_not_drawn_is_refused(self, ann: AsyncClient) -> None:
        problem(await find(ann, await draw(ann, {"limit": 5}), position=2), 404, "audit_item_not_found")
        nobody = {"id": "00000000-0000-7000-8000-000000000000"}
        problem(await find(ann, nobody), 404, "audit_not_found")


async def rename(api_as: ApiAs) -> AsyncClient:
    """Who released orders as rita, with an auditor's key: her own was revoked, so the name is free again."""
    client = await api_as(Scope.ADMIN, name="administrator")
    keys = (await client.get("/v1/api-keys", params={"limit": 500})).json()["items"]
    [rita] = [key for key in keys if key["name"] == "rita"]
    await client.delete(f"/v1/api-keys/{rita['id']}")
    return await api_as(Scope.AUDITS_WRITE, name="rita")


@pytest.mark.usefixtures("decided")
class TestSignOff:
    async def test_closes_an_audit(self, ann: AsyncClient, bob: AsyncClient, transactions: Transactions) -> None:
        audit = await draw(bob, {"limit": 5, "release": 5})
        for position in (1, 2, 3):
            await find(ann, audit, position, finding="exception" if position == 2 else "satisfactory")
        signed = (await sign(bob, audit)).json()
        assert (signed["state"], signed["signed_by"], signed["conclusion"]) == ("signed_off", "bob", "in order")
        [event] = await events(transactions, "audit_signed_off")
        assert event["after"] == {"state": "signed_off", "conclusion": "in order", "exceptions": 1}
        problem(await sign(bob, audit), 409, "audit_signed_off")

    async def test_needs_a_finding_on_each_item(self, ann: AsyncClient, bob: AsyncClient) -> None:
        audit = await draw(ann, {"limit": 5, "release": 5})
        await find(ann, audit, 2)
        refused = problem(await sign(bob, audit), 409, "audit_incomplete")
        assert "2 items, the first at position 1" in refused["detail"]

    async def test_needs_a_second_person(self, ann: AsyncClient, bob: AsyncClient, api_as: ApiAs) -> None:
        audit = await draw(bob, {"limit": 5})
        await find(ann, audit)
        problem(await sign(ann, audit), 403, "four_eyes")
        problem(await sign(await rename(api_as), audit), 403, "four_eyes")
        robot = await api_as(Scope.AUDITS_WRITE, kind=ActorKind.SERVICE)
        problem(await sign(robot, audit), 403, "person_required")
        assert (await sign(bob, audit)).status_code == 200

    async def test_of_an_empty_sample_needs_one_too(self, ann: AsyncClient, bob: AsyncClient) -> None:
        audit = await draw(ann, {"write_off": 5})
        assert audit["items"] == []
        problem(await sign(ann, audit), 403, "four_eyes")
        assert (await sign(bob, audit)).status_code == 200


@pytest.mark.usefixtures("decided")
class TestList:
    async def test_shows_audits_by_their_last_change(
        self, ann: AsyncClient, bob: AsyncClient, rita: AsyncClient, clock: FrozenClock
    ) -> None:
        first = await draw(ann, {"limit": 5})
        clock.move(by=timedelta(seconds=1))
        second = await draw(ann, {"write_off": 5})
        clock.move(by=timedelta(seconds=1))
        await find(ann, first)
        listed = (await rita.get("/v1/audits")).json()["items"]
        assert [item["id"] for item in listed] == [first["id"], second["id"]]
        assert "items" not in listed[0]
        await sign(bob, second)
        signed = (await ann.get("/v1/audits", params={"state": "signed_off"})).json()["items"]
        assert [item["id"] for item in signed] == [second["id"]]


class TestLifecycle:
    def test_of_an_audit_ends_with_the_sign_off(self) -> None:
        assert [state for state in AuditState if AUDITS.final(state)] == [AuditState.SIGNED_OFF]
