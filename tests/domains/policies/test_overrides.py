"""Overrides and the policy in effect, against a database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.customers.core.customer import Customer
from app.domains.policies import service as policies
from app.domains.policies.core.events import (
    PolicyOverrideApproved,
    PolicyOverrideExpired,
    PolicyOverrideProposed,
    PolicyOverrideRejected,
)
from app.domains.policies.core.overrides import OverrideStatus
from app.domains.policies.core.refusals import (
    FourEyes,
    OverrideNotFound,
    OverrideNotPending,
    OverridePast,
    OverrideUnfit,
    PolicyInvalid,
    PolicyMissing,
    PolicyVersionNotFound,
)
from app.domains.policies.service.shelves import shelf_of
from app.infra.db.engine import make_engine, make_sessions
from app.infra.transaction import Transaction
from app.kernel.identity import SYSTEM
from tests.domains.policies.conftest import MakeTx
from tests.domains.policies.drafting import TODAY, document, draft, propose, put_customer
from tests.support.api import MONDAY


def _on(session: AsyncSession) -> Transaction:
    return Transaction(session, now=MONDAY, actor=SYSTEM, request_id="test")


PATCH = {"order_checks": {"reservation_days": 90}}


class TestOverride:
    @pytest.fixture(autouse=True)
    async def customer(self, ann: Transaction) -> Customer:
        found = await put_customer(ann)
        ann.take_events()
        return found

    async def test_is_in_force_once_a_second_person_has_approved_it(
        self, ann: Transaction, bob: Transaction, customer: Customer
    ) -> None:
        proposed = await propose(ann, PATCH)
        before = await policies.effective_policy(ann, segment="main", customer=customer)
        assert (before.override_id, before.policy.order_checks.reservation_days) == (None, 30)
        await policies.approve_override(bob, segment="main", customer_id="C1")
        after = await policies.effective_policy(ann, segment="main", customer=customer)
        assert (after.override_id, after.policy.order_checks.reservation_days) == (proposed.id, 90)

    async def test_says_every_step(self, ann: Transaction, bob: Transaction) -> None:
        proposed = await propose(ann, PATCH)
        await policies.approve_override(bob, segment="main", customer_id="C1")
        events = [*ann.take_events(), *bob.take_events()]
        assert [type(event) for event in events] == [PolicyOverrideProposed, PolicyOverrideApproved]
        assert [event.exceptional for event in events] == [False, True]
        assert {(event.subject_id, event.customer_id) for event in events} == {(str(proposed.id), "C1")}

    async def test_is_not_approved_by_who_asked_for_it(self, ann: Transaction) -> None:
        await propose(ann, PATCH)
        with pytest.raises(FourEyes):
            await policies.approve_override(ann, segment="main", customer_id="C1")

    async def test_ends_after_its_last_day_in_the_segment(
        self, ann: Transaction, bob: Transaction, customer: Customer, tx_of: MakeTx
    ) -> None:
        await policies.set_default_time_zone(ann, time_zone="Asia/Shanghai")
        await propose(ann, PATCH)
        await policies.approve_override(bob, segment="main", customer_id="C1")
        midnight = MONDAY.replace(hour=16)
        for now, in_force in ((midnight - timedelta(microseconds=1), True), (midnight, False)):
            found = await policies.effective_policy(tx_of("ann", now=now), segment="main", customer=customer)
            assert (found.override_id is not None) is in_force

    async def test_proposed_again_takes_the_place_of_the_one_that_waits(
        self, ann: Transaction, bob: Transaction
    ) -> None:
        first = await propose(ann, PATCH)
        second = await propose(bob, PATCH, TODAY + timedelta(days=1))
        assert bob.take_events()[0].before == {"replaced": str(first.id)}
        approved_override = await policies.approve_override(ann, segment="main", customer_id="C1")
        assert approved_override.id == second.id

    async def test_proposed_with_the_same_words_changes_nothing(self, ann: Transaction) -> None:
        first = await propose(ann, PATCH)
        ann.take_events()
        assert await propose(ann, PATCH) == first
        assert ann.take_events() == ()

    async def test_approved_takes_the_place_of_the_one_in_force(self, ann: Transaction, bob: Transaction) -> None:
        for days in (60, 90):
            await propose(ann, {"order_checks": {"reservation_days": days}})
            await policies.approve_override(bob, segment="main", customer_id="C1")
        found = await policies.current_override(ann, segment="main", customer_id="C1")
        assert found.in_force is not None
        assert found.in_force.patch == {"order_checks": {"reservation_days": 90}}
        assert found.pending is None

    async def test_can_be_rejected_and_leaves_what_is_in_force(self, ann: Transaction, bob: Transaction) -> None:
        await propose(ann, PATCH)
        await policies.approve_override(bob, segment="main", customer_id="C1")
        await propose(ann, {"order_checks": {"reservation_days": 365}})
        rejected = await policies.reject_override(bob, segment="main", customer_id="C1")
        assert rejected.status is OverrideStatus.REJECTED
        assert isinstance(bob.take_events()[-1], PolicyOverrideRejected)
        found = await policies.current_override(ann, segment="main", customer_id="C1")
        assert found.in_force is not None
        assert found.in_force.patch == PATCH

    async def test_needs_something_that_waits(self, bob: Transaction) -> None:
        for decide in (policies.approve_override, policies.reject_override):
            with pytest.raises(OverrideNotPending):
                await decide(bob, segment="main", customer_id="C1")
        with pytest.raises(OverrideNotFound):
            await policies.current_override(bob, segment="main", customer_id="C1")

    async def test_cannot_have_ended(self, ann: Transaction, tx_of: MakeTx) -> None:
        with pytest.raises(OverridePast):
            await propose(ann, PATCH, TODAY - timedelta(days=1))
        await propose(ann, PATCH)
        with pytest.raises(OverridePast):
            await policies.approve_override(
                tx_of("bob", now=MONDAY + timedelta(days=1)), segment="main", customer_id="C1"
            )

    @pytest.mark.parametrize(
        ("patch", "pointer"),
        [
            ({"order_checks": {"terms": {}}}, "/patch/order_checks/terms/effect"),
            ({"order_checks": None}, "/patch/order_checks"),
            ({"profiles": {"x": {}}}, "/patch/profiles"),
            ({"x": 1}, "/patch/x"),
        ],
    )
    async def test_must_make_a_valid_whole(self, ann: Transaction, patch: dict[str, Any], pointer: str) -> None:
        with pytest.raises(PolicyInvalid) as refused:
            await propose(ann, patch)
        assert [fault.pointer for fault in refused.value.faults] == [pointer]


class TestEffectivePolicy:
    async def test_applies_the_customers_profile(self, ann: Transaction) -> None:
        with_profile = document() | {"profiles": {"retail": {"order_checks": {"reservation_days": 7}}}}
        view = await policies.draft(ann, segment="main", document=with_profile)
        await policies.activate(ann, segment="main", number=view.version.version)
        retail = await put_customer(ann, "C1", "retail")
        plain = await put_customer(ann, "C2")
        for customer, days in ((retail, 7), (plain, 30)):
            found = await policies.effective_policy(ann, segment="main", customer=customer)
            assert (found.version, found.profile) == (2, customer.profile)
            assert found.policy.order_checks.reservation_days == days
        shown = await policies.effective_document(ann, segment="main", customer_id="C1")
        assert shown.document["order_checks"]["reservation_days"] == 7
        assert "profiles" not in shown.document

    async def test_is_put_on_the_shelf(self, ann: Transaction) -> None:
        customer = await put_customer(ann)
        first = await policies.effective_policy(ann, segment="main", customer=customer)
        second = await policies.effective_policy(ann, segment="main", customer=customer)
        assert second.policy is first.policy
        assert shelf_of(ann).peek("main", 1, "default") is first.policy

    async def test_is_kept_for_each_database_apart(self) -> None:
        one, other = (make_sessions(make_engine(f"postgresql://nowhere/{name}")) for name in ("one", "other"))
        shelves = [shelf_of(_on(sessions())) for sessions in (one, one, other)]
        assert shelves[0] is shelves[1]
        assert shelves[0] is not shelves[2]

    async def test_that_does_not_fit_together_decides_nothing(self, ann: Transaction, bob: Transaction) -> None:
        rule = {"order_value": {"effect": "refer", "max_amount": "100"}}
        with_profile = document() | {"profiles": {"retail": {"order_checks": rule}}}
        view = await policies.draft(ann, segment="main", document=with_profile)
        await policies.activate(ann, segment="main", number=view.version.version)
        await put_customer(ann, "C1", "retail")
        await propose(ann, {"order_checks": {"order_value": {"effect": "decline"}}})
        await policies.approve_override(bob, segment="main", customer_id="C1")
        moved = await put_customer(ann, "C1", "wholesale")
        with pytest.raises(OverrideUnfit):
            await policies.effective_policy(ann, segment="main", customer=moved)

    async def test_needs_an_active_version(self, tx_of: MakeTx) -> None:
        with pytest.raises(PolicyMissing):
            await policies.active(tx_of("ann", now=MONDAY.replace(year=1999)), segment="main")


class TestRecall:
    async def test_gives_the_policy_of_then(self, ann: Transaction, bob: Transaction) -> None:
        customer = await put_customer(ann)
        override = await propose(ann, PATCH)
        await policies.approve_override(bob, segment="main", customer_id="C1")
        then = await policies.effective_policy(ann, segment="main", customer=customer)
        await propose(ann, {})
        await policies.approve_override(bob, segment="main", customer_id="C1")
        await policies.activate(ann, segment="main", number=await draft(ann, recheck_grace_days=0))
        recalled = await policies.recall(ann, segment="main", version=1, profile="default", override_id=override.id)
        assert recalled == then

    async def test_takes_it_from_the_shelf(self, ann: Transaction) -> None:
        first = await policies.recall(ann, segment="main", version=1, profile="default")
        again = await policies.recall(ann, segment="main", version=1, profile="default")
        assert again.policy is first.policy

    async def test_needs_what_it_is_made_of(self, ann: Transaction) -> None:
        with pytest.raises(PolicyVersionNotFound):
            await policies.recall(ann, segment="main", version=9, profile="default")
        with pytest.raises(OverrideNotFound):
            await policies.recall(ann, segment="main", version=1, profile="default", override_id=uuid4())


class TestExpiry:
    async def test_is_journalled_once(self, ann: Transaction, bob: Transaction, tx_of: MakeTx) -> None:
        await put_customer(ann)
        proposed = await propose(ann, PATCH, valid_until=TODAY)
        await policies.approve_override(bob, segment="main", customer_id="C1")
        assert await policies.expire_overrides(bob, segment="main", most=10) == 0
        later = tx_of("system", now=MONDAY + timedelta(days=1))
        assert await policies.expire_overrides(later, segment="main", most=10) == 1
        [event] = later.take_events()
        assert isinstance(event, PolicyOverrideExpired)
        assert (event.subject_id, event.after["since"]) == (str(proposed.id), str(TODAY + timedelta(days=1)))
        assert await policies.expire_overrides(later, segment="main", most=10) == 0

    async def test_leaves_what_was_decided_by_it_replayable(
        self, ann: Transaction, bob: Transaction, tx_of: MakeTx
    ) -> None:
        await put_customer(ann)
        proposed = await propose(ann, PATCH, valid_until=TODAY)
        await policies.approve_override(bob, segment="main", customer_id="C1")
        later = tx_of("system", now=MONDAY + timedelta(days=1))
        await policies.expire_overrides(later, segment="main", most=10)
        recalled = await policies.recall(later, segment="main", version=1, profile="default", override_id=proposed.id)
        assert recalled.policy.order_checks.reservation_days == 90
