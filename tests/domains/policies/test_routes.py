"""Segments, policies and overrides over HTTP."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from httpx import AsyncClient, Response
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator
from sqlalchemy import text

from app.domains.policies.core.document import default_document, faults
from app.domains.policies.schemas import policy_schema
from app.infra.clock import FrozenClock
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM, ActorKind
from app.support.auth.core.scopes import Scope
from tests.domains.policies.test_document import ON_WITH_ALL_PARAMETERS
from tests.domains.policies.test_merge_patch import JSON
from tests.support.api import MONDAY, ApiAs

VERSIONS = "/v1/policies/main/versions"
VALIDATOR = Draft202012Validator(policy_schema())


def body(**checks: Any) -> dict[str, Any]:
    """A draft with some order checks said otherwise."""
    document = default_document()
    document["order_checks"] |= checks
    return {"document": document, "note": "for the tests"}


async def told(transactions: Transactions, type: str) -> list[tuple[str, str, Any]]:
    """Who did what to what: the events of a type."""
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        found = await tx.session.execute(
            text("select actor, subject_id, after from events where type = :type order by id"), {"type": type}
        )
        return [(row.actor, row.subject_id, row.after) for row in found]


def said(response: Response, status: int) -> Any:
    """What an answer of this status says."""
    assert response.status_code == status, response.text
    return response.json()


async def draft(api: AsyncClient, **checks: Any) -> int:
    """The number of a new draft."""
    number: int = said(await api.post(VERSIONS, json=body(**checks)), 201)["version"]
    return number


class TestSegments:
    async def test_open_with_the_default_policy(self, api: AsyncClient) -> None:
        wish = {"name": "Europe", "currency": "EUR", "time_zone": "Europe/Berlin"}
        opened = await api.put("/v1/segments/eu", json=wish)
        assert said(opened, 201) == {
            "segment": "eu",
            "name": "Europe",
            "currency": "EUR",
            "time_zone": "Europe/Berlin",
            "follows_deployment": False,
            "version": 1,
        }
        assert opened.headers["ETag"] == '"1"'
        assert said(await api.put("/v1/segments/eu", json=wish), 200)["version"] == 1
        assert said(await api.get("/v1/policies/eu"), 200)["document"] == default_document()

    async def test_are_shown_to_those_who_may_see_them(self, api: AsyncClient, api_as: ApiAs) -> None:
        await api.put("/v1/segments/eu", json={"name": "Europe", "currency": "EUR"})
        confined = await api_as(Scope.ORDERS_CHECK, segments=["eu"])
        everywhere = await api_as(Scope.ORDERS_CHECK)
        for client, names in ((confined, ["eu"]), (everywhere, ["eu", "main"])):
            items = said(await client.get("/v1/segments"), 200)["items"]
            assert [item["segment"] for item in items] == names

    @pytest.mark.parametrize(
        ("segment", "wish", "status", "code"),
        [
            ("eu", {"name": "Europe", "currency": "XXX"}, 422, "request_invalid"),
            ("eu", {"name": "Europe", "currency": "EUR", "time_zone": "Mars"}, 422, "time_zone_unknown"),
            ("schema", {"name": "Schema", "currency": "EUR"}, 422, "segment_reserved"),
            ("Ümlaut", {"name": "Europe", "currency": "EUR"}, 422, "request_invalid"),
            ("main", {"name": "Main", "currency": "EUR"}, 409, "segment_currency_fixed"),
        ],
    )
    async def test_are_refused(
        self, api: AsyncClient, segment: str, wish: dict[str, Any], status: int, code: str
    ) -> None:
        assert said(await api.put(f"/v1/segments/{segment}", json=wish), status)["code"] == code

    async def test_honour_if_match(self, api: AsyncClient) -> None:
        wish = {"name": "Hauptsitz", "currency": "CNY"}
        assert (await api.put("/v1/segments/main", json=wish, headers={"If-Match": '"9"'})).status_code == 412
        assert (await api.put("/v1/segments/main", json=wish, headers={"If-Match": '"1"'})).status_code == 200

    async def test_are_opened_by_administrators_only(self, api_as: ApiAs) -> None:
        client = await api_as(Scope.POLICIES_WRITE)
        said(await client.put("/v1/segments/eu", json={"name": "Europe", "currency": "EUR"}), 403)


class TestReading:
    async def test_shows_the_active_version(self, api: AsyncClient) -> None:
        found = said(await api.get("/v1/policies/main"), 200)
        assert (found["segment"], found["version"], found["status"]) == ("main", 1, "active")
        assert (found["document"], found["approved_by"]) == (default_document(), None)

    async def test_pages_the_versions(self, api: AsyncClient) -> None:
        for _ in range(2):
            await draft(api)
        first = said(await api.get(VERSIONS, params={"limit": 2}), 200)
        second = said(await api.get(VERSIONS, params={"limit": 2, "cursor": first["next_cursor"]}), 200)
        found = [(item["version"], item["status"]) for item in first["items"] + second["items"]]
        assert found == [(3, "draft"), (2, "draft"), (1, "active")]

    async def test_compares_versions_in_words(self, api: AsyncClient) -> None:
        number = await draft(api, reservation_days=7)
        found = said(await api.get(f"{VERSIONS}/{number}/diff", params={"against": 1}), 200)
        assert found == {
            "segment": "main",
            "version": 2,
            "against": 1,
            "differences": [
                {
                    "pointer": "/order_checks/reservation_days",
                    "before": 30,
                    "after": 7,
                    "words": "order checks › reservation days: 30 → 7",
                }
            ],
        }

    @pytest.mark.parametrize(
        ("path", "code"),
        [
            ("/v1/policies/eu", "segment_not_found"),
            ("/v1/policies/eu/versions", "segment_not_found"),
            (f"{VERSIONS}/9", "policy_version_not_found"),
            (f"{VERSIONS}/1/diff?against=9", "policy_version_not_found"),
            ("/v1/customers/NOBODY/effective-policy", "customer_not_found"),
            ("/v1/customers/NOBODY/policy-override", "customer_not_found"),
        ],
    )
    async def test_of_what_is_not_there_is_not_found(self, api: AsyncClient, path: str, code: str) -> None:
        assert said(await api.get(path), 404)["code"] == code

    async def test_is_open_to_those_who_write_or_approve(self, api_as: ApiAs) -> None:
        for scope, status in (
            (Scope.POLICIES_WRITE, 200),
            (Scope.POLICIES_APPROVE, 200),
            (Scope.CUSTOMERS_READ, 403),
        ):
            said(await (await api_as(scope)).get("/v1/policies/main"), status)

    async def test_of_another_segment_is_not_found(self, api: AsyncClient, api_as: ApiAs) -> None:
        await api.put("/v1/segments/eu", json={"name": "Europe", "currency": "EUR"})
        client = await api_as(Scope.POLICIES_WRITE, segments=["eu"])
        said(await client.get("/v1/policies/eu"), 200)
        for response in (
            await client.get("/v1/policies/main"),
            await client.post(VERSIONS, json=body()),
            await client.get("/v1/customers/C1/effective-policy"),
        ):
            assert said(response, 404)["code"] == "segment_not_found"


class TestDrafting:
    async def test_answers_with_the_draft_and_its_etag(self, api: AsyncClient) -> None:
        response = await api.post(VERSIONS, json=body(reservation_days=7))
        found = said(response, 201)
        assert (found["version"], found["status"], found["note"]) == (2, "draft", "for the tests")
        assert found["document"]["order_checks"]["reservation_days"] == 7
        assert response.headers["ETag"] == '"1"'

    async def test_points_at_every_fault(self, api: AsyncClient) -> None:
        wish = body(limit=None, reservation_days=1.5, fx_rate={"effect": "warn"})
        wish["document"]["profiles"] = {"retail": {"order_checks": {"terms": {}}}}
        found = said(await api.post(VERSIONS, json=wish), 422)
        assert found["code"] == "policy_invalid"
        assert {(error["pointer"], error["code"]) for error in found["errors"]} == {
            ("/document/order_checks/limit", "cannot_be_off"),
            ("/document/order_checks/reservation_days", "integer_expected"),
            ("/document/order_checks/fx_rate/effect", "cannot_be_warn"),
            ("/document/profiles/retail/order_checks/terms/effect", "required"),
        }

    async def test_needs_if_match_to_edit(self, api: AsyncClient) -> None:
        number = await draft(api)
        path, wish = f"{VERSIONS}/{number}", body(reservation_days=7)
        assert said(await api.put(path, json=wish), 428)["code"] == "if_match_required"
        assert said(await api.put(path, json=wish, headers={"If-Match": '"9"'}), 412)["code"] == "version_stale"
        edited = await api.put(path, json=wish, headers={"If-Match": '"1"'})
        assert said(edited, 200)["document"]["order_checks"]["reservation_days"] == 7
        assert edited.headers["ETag"] == (await api.get(path)).headers["ETag"] == '"2"'

    async def test_happens_once_per_idempotency_key(self, api: AsyncClient) -> None:
        first = await api.post(VERSIONS, json=body(), headers={"Idempotency-Key": "once"})
        again = await api.post(VERSIONS, json=body(), headers={"Idempotency-Key": "once"})
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert await draft(api) == 3

    async def test_needs_the_write_scope(self, api_as: ApiAs) -> None:
        said(await (await api_as(Scope.POLICIES_APPROVE)).post(VERSIONS, json=body()), 403)


class TestApproval:
    async def test_leads_to_another_active_version(self, api_as: ApiAs, clock: FrozenClock) -> None:
        author = await api_as(Scope.POLICIES_WRITE, name="ann")
        approver = await api_as(Scope.POLICIES_APPROVE, name="bob")
        number = await draft(author, reservation_days=7)
        assert said(await author.post(f"{VERSIONS}/{number}/submit"), 200)["status"] == "submitted"
        assert said(await approver.post(f"{VERSIONS}/{number}/approve"), 200)["status"] == "approved"
        later = (MONDAY + timedelta(hours=1)).isoformat()
        planned = said(await approver.post(f"{VERSIONS}/{number}/activate", json={"effective_at": later}), 200)
        assert (planned["status"], planned["effective_at"]) == ("approved", "2026-03-02T10:00:00Z")
        clock.move(by=timedelta(hours=1))
        found = said(await author.get("/v1/policies/main"), 200)
        assert (found["version"], found["status"]) == (number, "active")
        assert (found["edited_by"], found["approved_by"]) == (["ann"], "bob")
        assert said(await author.get(f"{VERSIONS}/1"), 200)["status"] == "superseded"

    async def test_keeps_four_eyes_even_for_administrators(self, api: AsyncClient) -> None:
        number = await draft(api)
        said(await api.post(f"{VERSIONS}/{number}/submit"), 200)
        assert said(await api.post(f"{VERSIONS}/{number}/approve"), 403)["code"] == "four_eyes"

    async def test_needs_a_person(self, api: AsyncClient, api_as: ApiAs) -> None:
        number = await draft(api)
        said(await api.post(f"{VERSIONS}/{number}/submit"), 200)
        robot = await api_as(Scope.POLICIES_APPROVE, kind=ActorKind.SERVICE)
        assert said(await robot.post(f"{VERSIONS}/{number}/approve"), 403)["code"] == "person_required"

    async def test_refused_is_journalled_although_nothing_has_happened(
        self, api: AsyncClient, api_as: ApiAs, transactions: Transactions
    ) -> None:
        ann, robot = (
            await api_as(Scope.ADMIN, name="ann"),
            await api_as(Scope.POLICIES_APPROVE, name="robot", kind=ActorKind.SERVICE),
        )
        number = await draft(ann)
        said(await robot.post(f"{VERSIONS}/{number}/activate"), 403)
        said(await ann.post(f"{VERSIONS}/{number}/submit"), 200)
        said(await ann.post(f"{VERSIONS}/{number}/approve"), 403)
        said(await robot.post(f"{VERSIONS}/{number}/approve"), 403)
        assert await told(transactions, "policy_approval_refused") == [
            ("robot", f"main/{number}", {"action": "activate", "code": "person_required"}),
            ("ann", f"main/{number}", {"action": "approve", "code": "four_eyes"}),
            ("robot", f"main/{number}", {"action": "approve", "code": "person_required"}),
        ]
        assert said(await ann.get(f"{VERSIONS}/{number}"), 200)["status"] == "submitted"

    async def test_is_not_given_by_the_same_person_under_another_spelling(self, api_as: ApiAs) -> None:
        number = await draft(await api_as(Scope.ADMIN, name="ann"))
        same = await api_as(Scope.ADMIN, name="Ann")
        said(await same.post(f"{VERSIONS}/{number}/submit"), 200)
        assert said(await same.post(f"{VERSIONS}/{number}/approve"), 403)["code"] == "four_eyes"

    async def test_is_needed_once_there_was_one(self, api: AsyncClient, api_as: ApiAs) -> None:
        first = await draft(api)
        assert said(await api.post(f"{VERSIONS}/{first}/activate"), 200)["status"] == "active"
        second = await draft(api)
        said(await api.post(f"{VERSIONS}/{second}/submit"), 200)
        said(await (await api_as(Scope.POLICIES_APPROVE)).post(f"{VERSIONS}/{second}/approve"), 200)
        third = await draft(api)
        assert said(await api.post(f"{VERSIONS}/{third}/activate"), 409)["code"] == "policy_not_approved"

    async def test_can_be_denied(self, api: AsyncClient) -> None:
        number = await draft(api)
        assert said(await api.post(f"{VERSIONS}/{number}/reject"), 409)["code"] == "policy_not_submitted"
        said(await api.post(f"{VERSIONS}/{number}/submit"), 200)
        assert said(await api.post(f"{VERSIONS}/{number}/reject"), 200)["status"] == "rejected"
        edit = await api.put(f"{VERSIONS}/{number}", json=body(), headers={"If-Match": "*"})
        assert said(edit, 409)["code"] == "policy_not_draft"

    async def test_cannot_take_effect_in_the_past(self, api: AsyncClient) -> None:
        number = await draft(api)
        wish = {"effective_at": (MONDAY - timedelta(seconds=1)).isoformat()}
        found = said(await api.post(f"{VERSIONS}/{number}/activate", json=wish), 422)
        assert [error["pointer"] for error in found["errors"]] == ["/effective_at"]


class TestOverride:
    WISH: ClassVar[dict[str, Any]] = {
        "patch": {"order_checks": {"reservation_days": 90}},
        "valid_until": "2026-12-31",
        "reason": "a project",
    }
    PATH = "/v1/customers/C1/policy-override"

    @pytest.fixture(autouse=True)
    async def customer(self, api: AsyncClient) -> None:
        said(await api.put("/v1/customers/C1", json={"name": "Red Star", "country": "CN"}), 201)

    async def test_refused_is_journalled_although_nothing_has_happened(
        self, api: AsyncClient, transactions: Transactions
    ) -> None:
        proposed = said(await api.put(self.PATH, json=self.WISH), 200)
        said(await api.post(f"{self.PATH}/approve"), 403)
        assert [event[1:] for event in await told(transactions, "policy_override_approval_refused")] == [
            (proposed["id"], {"code": "four_eyes"})
        ]
        assert said(await api.get(self.PATH), 200)["in_force"] is None

    async def test_holds_after_a_second_persons_approval(self, api: AsyncClient, api_as: ApiAs) -> None:
        proposed = said(await api.put(self.PATH, json=self.WISH), 200)
        assert proposed["status"] == "pending"
        assert said(await api.post(f"{self.PATH}/approve"), 403)["code"] == "four_eyes"
        before = said(await api.get("/v1/customers/C1/effective-policy"), 200)
        assert (before["override"], before["document"]["order_checks"]["reservation_days"]) == (None, 30)
        approver = await api_as(Scope.POLICIES_APPROVE, name="bob")
        approved = said(await approver.post(f"{self.PATH}/approve"), 200)
        assert (approved["id"], approved["status"], approved["decided_by"]) == (proposed["id"], "approved", "bob")
        after = said(await api.get("/v1/customers/C1/effective-policy", params={"segment": "main"}), 200)
        assert (after["segment"], after["version"], after["profile"]) == ("main", 1, "default")
        assert after["override"]["id"] == proposed["id"]
        assert after["document"]["order_checks"]["reservation_days"] == 90
        assert "profiles" not in after["document"]
        assert said(await api.get(self.PATH), 200) == {"in_force": approved, "pending": None}

    async def test_can_be_rejected(self, api: AsyncClient) -> None:
        said(await api.put(self.PATH, json=self.WISH), 200)
        assert said(await api.post(f"{self.PATH}/reject"), 200)["status"] == "rejected"
        assert said(await api.post(f"{self.PATH}/approve"), 409)["code"] == "policy_override_not_pending"
        assert said(await api.get(self.PATH), 404)["code"] == "policy_override_not_found"

    @pytest.mark.parametrize(
        ("change", "pointer", "code"),
        [
            ({"patch": {"order_checks": {"limit": {"effect": "x"}}}}, "/patch/order_checks/limit/effect", None),
            ({"patch": []}, "/patch", None),
            ({"valid_until": "2026-03-01"}, "/valid_until", "policy_override_past"),
            ({"valid_until": "0000-01-01"}, "/valid_until", None),
            ({"segment": "X"}, "/segment", None),
        ],
    )
    async def test_is_refused(self, api: AsyncClient, change: dict[str, Any], pointer: str, code: str | None) -> None:
        (error,) = said(await api.put(self.PATH, json={**self.WISH, **change}), 422)["errors"]
        assert error["pointer"] == pointer
        assert code is None or error["code"] == code


class TestSchema:
    async def test_is_served(self, api: AsyncClient) -> None:
        assert said(await api.get("/v1/policies/schema"), 200) == json.loads(json.dumps(policy_schema()))

    def test_describes_what_the_reader_demands(self) -> None:
        schema = policy_schema()
        definitions = schema["$defs"]
        assert schema["required"] == ["order_checks"]
        assert schema["additionalProperties"] is False
        assert definitions["OrderValueRule"]["required"] == ["effect", "max_amount"]
        assert definitions["FxRateRule"]["properties"]["effect"]["not"] == {"const": "warn"}
        assert definitions["DunningLevelRule"]["properties"]["max_level"]["maximum"] == 9
        assert definitions["Grade"]["properties"]["name"]["maxLength"] == 10
        assert schema["properties"]["grades"]["maxItems"] == 26

    def test_knows_no_number_that_is_not_an_integer(self) -> None:
        assert '"number"' not in json.dumps(policy_schema())

    @given(checks=st.dictionaries(st.sampled_from(sorted(default_document()["order_checks"])), JSON, max_size=3))
    def test_accepts_whatever_the_reader_accepts(self, checks: dict[str, Any]) -> None:
        document = body(**checks)["document"]
        if not faults(document):
            VALIDATOR.validate(document)

    @pytest.mark.parametrize("rule", sorted(ON_WITH_ALL_PARAMETERS))
    def test_accepts_every_rule(self, rule: str) -> None:
        VALIDATOR.validate(body(**{rule: ON_WITH_ALL_PARAMETERS[rule]})["document"])

    @pytest.mark.parametrize(
        "checks",
        [{"limit": None}, {"limit": {"tolerance_percent": 0.5}}, {"x": 1}, {"fx_rate": {"effect": "warn"}}],
    )
    def test_refuses_what_the_reader_refuses(self, checks: dict[str, Any]) -> None:
        assert not VALIDATOR.is_valid(body(**checks)["document"])
