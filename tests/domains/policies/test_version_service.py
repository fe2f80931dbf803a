"""Versions, against a database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from app.domains.policies import service as policies
from app.domains.policies.core.document import default_document
from app.domains.policies.core.events import (
    PolicyActivated,
    PolicyApproved,
    PolicyDrafted,
    PolicyEdited,
    PolicyRejected,
    PolicySubmitted,
)
from app.domains.policies.core.refusals import (
    ActivationInstantTaken,
    FourEyes,
    OverrideUnfit,
    PersonRequired,
    PolicyInvalid,
    PolicyNotApproved,
    PolicyNotDraft,
    PolicyVersionNotFound,
)
from app.domains.policies.core.versions import PolicyStatus, Standing
from app.infra.clock import FrozenClock
from app.infra.db.paging import PageRequest
from app.infra.transaction import Transaction, Transactions
from app.kernel.events import Event
from app.kernel.identity import Actor, ActorKind
from app.support.auth.core.principals import SegmentNotFound
from tests.domains.policies.conftest import MakeTx
from tests.domains.policies.drafting import TODAY, active_number, approved, document, draft, propose, put_customer
from tests.support.api import MONDAY


class TestDraft:
    async def test_gets_the_next_number(self, ann: Transaction) -> None:
        assert [await draft(ann), await draft(ann)] == [2, 3]
        events = [event for event in ann.take_events() if isinstance(event, PolicyDrafted)]
        assert [event.subject_id for event in events] == ["main/2", "main/3"]

    async def test_changes_nothing_that_holds(self, ann: Transaction) -> None:
        number = await draft(ann, reservation_days=1)
        assert (await policies.version(ann, segment="main", number=number)).standing is Standing.DRAFT
        assert await active_number(ann) == 1

    async def test_is_refused_with_pointers_into_the_request(self, ann: Transaction) -> None:
        with pytest.raises(PolicyInvalid) as refused:
            await draft(ann, limit=None)
        assert refused.value.faults[0].pointer == "/document/order_checks/limit"

    async def test_needs_a_segment(self, ann: Transaction) -> None:
        with pytest.raises(SegmentNotFound):
            await policies.draft(ann, segment="eu", document=default_document())


class TestEdit:
    async def test_replaces_the_document_and_remembers_every_editor(self, ann: Transaction, bob: Transaction) -> None:
        number = await draft(ann)
        await policies.edit(bob, segment="main", number=number, document=document(reservation_days=1))
        view = await policies.edit(ann, segment="main", number=number, document=document(reservation_days=2))
        assert view.version.edited_by == ("ann", "bob")
        assert view.version.document["order_checks"]["reservation_days"] == 2
        assert view.version.revision == 3

    async def test_says_where_it_changed(self, ann: Transaction) -> None:
        number = await draft(ann)
        ann.take_events()
        await policies.edit(ann, segment="main", number=number, document=document(reservation_days=1), note="test")
        (event,) = ann.take_events()
        assert isinstance(event, PolicyEdited)
        assert event.after["changed"] == ["/order_checks/reservation_days"]

    async def test_of_the_same_changes_nothing(self, ann: Transaction, bob: Transaction) -> None:
        number = await draft(ann)
        view = await policies.edit(bob, segment="main", number=number, document=document(), note="test")
        assert (view.version.revision, view.version.edited_by) == (1, ("ann",))
        assert bob.take_events() == ()

    async def test_asks_the_precondition_about_the_revision(self, ann: Transaction) -> None:
        number, asked = await draft(ann), list[int | None]()
        await policies.edit(ann, segment="main", number=number, document=document(), precondition=asked.append)
        assert asked == [1]

    async def test_never_touches_what_was_submitted(self, ann: Transaction) -> None:
        number = await draft(ann)
        await policies.submit(ann, segment="main", number=number)
        with pytest.raises(PolicyNotDraft):
            await policies.edit(ann, segment="main", number=number, document=document(reservation_days=1))

    async def test_needs_a_version(self, ann: Transaction) -> None:
        with pytest.raises(PolicyVersionNotFound):
            await policies.edit(ann, segment="main", number=9, document=document())


class TestApproval:
    async def test_leads_from_draft_to_active(self, ann: Transaction, bob: Transaction) -> None:
        number = await approved(ann, bob, reservation_days=7)
        view = await policies.activate(ann, segment="main", number=number)
        assert view.standing is Standing.ACTIVE
        assert (view.version.submitted_by, view.version.approved_by, view.version.activated_by) == ("ann", "bob", "ann")
        assert (await policies.version(ann, segment="main", number=1)).standing is Standing.SUPERSEDED
        assert (await policies.version(ann, segment="main")).version.version == number

    async def test_says_every_step(self, ann: Transaction, bob: Transaction) -> None:
        number = await approved(ann, bob)
        await policies.activate(bob, segment="main", number=number)
        events = [*ann.take_events(), *bob.take_events()]
        assert [type(event) for event in events] == [PolicyDrafted, PolicySubmitted, PolicyApproved, PolicyActivated]
        assert {event.segment for event in events} == {"main"}

    async def test_is_refused_to_everybody_who_edited(self, ann: Transaction, bob: Transaction) -> None:
        number = await draft(ann)
        await policies.edit(bob, segment="main", number=number, document=document(reservation_days=1))
        await policies.submit(ann, segment="main", number=number)
        for editor in (ann, bob):
            with pytest.raises(FourEyes):
                await policies.approve(editor, segment="main", number=number)

    async def test_is_refused_to_services(self, ann: Transaction, tx_of: MakeTx) -> None:
        number = await draft(ann)
        await policies.submit(ann, segment="main", number=number)
        with pytest.raises(PersonRequired):
            await policies.approve(tx_of("robot", kind=ActorKind.SERVICE), segment="main", number=number)

    async def test_can_be_denied_for_good(self, ann: Transaction, bob: Transaction) -> None:
        number = await draft(ann)
        await policies.submit(ann, segment="main", number=number)
        view = await policies.reject(bob, segment="main", number=number)
        assert view.version.status is PolicyStatus.REJECTED
        assert isinstance(bob.take_events()[-1], PolicyRejected)
        with pytest.raises(PolicyNotApproved):
            await policies.activate(ann, segment="main", number=number)


class TestActivate:
    async def test_needs_no_second_person_before_the_first_approval(self, ann: Transaction) -> None:
        view = await policies.activate(ann, segment="main", number=await draft(ann))
        assert view.standing is Standing.ACTIVE
        assert view.version.approved_by is None

    async def test_needs_one_ever_after(self, ann: Transaction, bob: Transaction) -> None:
        await approved(ann, bob)
        with pytest.raises(PolicyNotApproved):
            await policies.activate(ann, segment="main", number=await draft(ann))

    async def test_begins_later_without_anybody_carrying_it_out(self, ann: Transaction, tx_of: MakeTx) -> None:
        number, later = await draft(ann), MONDAY + timedelta(days=1)
        view = await policies.activate(ann, segment="main", number=number, effective_at=later)
        assert view.standing is Standing.APPROVED
        assert await active_number(ann) == 1
        assert await active_number(tx_of("ann", now=later - timedelta(microseconds=1))) == 1
        assert await active_number(tx_of("ann", now=later)) == number

    async def test_leaves_exactly_one_active_at_any_instant(self, ann: Transaction, tx_of: MakeTx) -> None:
        for hours in (5, 2, 8):
            number = await draft(ann)
            at = MONDAY + timedelta(hours=hours)
            await policies.activate(ann, segment="main", number=number, effective_at=at)
        for hours, expected in ((0, 1), (2, 3), (5, 2), (8, 4)):
            tx = tx_of("ann", now=MONDAY + timedelta(hours=hours))
            found = await policies.list_versions(tx, segment="main", page=PageRequest())
            active = [view.version.version for view in found.items if view.standing is Standing.ACTIVE]
            assert active == [expected]

    async def test_refuses_the_instant_of_another_version(self, ann: Transaction) -> None:
        at = MONDAY + timedelta(days=1)
        await policies.activate(ann, segment="main", number=await draft(ann), effective_at=at)
        with pytest.raises(ActivationInstantTaken):
            await policies.activate(ann, segment="main", number=await draft(ann), effective_at=at)

    async def test_refuses_what_an_override_in_force_then_does_not_fit(
        self, ann: Transaction, bob: Transaction
    ) -> None:
        number = await draft(ann, order_value={"effect": "refer", "max_amount": "100"})
        await policies.activate(ann, segment="main", number=number)
        await put_customer(ann)
        await propose(ann, {"order_checks": {"order_value": {"effect": "decline"}}}, TODAY + timedelta(days=1))
        await policies.approve_override(bob, segment="main", customer_id="C1")
        number = await draft(ann)
        with pytest.raises(OverrideUnfit):
            await policies.activate(ann, segment="main", number=number, effective_at=MONDAY + timedelta(days=1))
        await policies.activate(ann, segment="main", number=number, effective_at=MONDAY + timedelta(days=2))


class TestCompare:
    async def test_says_what_a_version_changes(self, ann: Transaction) -> None:
        number = await draft(ann, reservation_days=7)
        (found,) = await policies.compare(ann, segment="main", number=number, against=1)
        assert (found.pointer, found.before, found.after) == ("/order_checks/reservation_days", 30, 7)

    async def test_needs_both_versions(self, ann: Transaction) -> None:
        with pytest.raises(PolicyVersionNotFound):
            await policies.compare(ann, segment="main", number=1, against=9)


class TestList:
    async def test_pages_the_latest_first(self, ann: Transaction) -> None:
        for _ in range(3):
            await draft(ann)
        first = await policies.list_versions(ann, segment="main", page=PageRequest(limit=3))
        second = await policies.list_versions(ann, segment="main", page=PageRequest(limit=3, cursor=first.next_cursor))
        assert [view.version.version for view in [*first.items, *second.items]] == [4, 3, 2, 1]
        assert second.next_cursor is None


class TestConcurrently:
    """Several transactions at once, on a database of the test's own."""

    @pytest.fixture
    def transactions(self, engine: AsyncEngine) -> Transactions:
        async def forget(tx: Transaction, events: Sequence[Event]) -> None:
            return None

        sessions = async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)
        return Transactions(sessions, clock=FrozenClock(MONDAY), journal=forget, reactions={})

    async def test_drafts_get_numbers_of_their_own(self, transactions: Transactions) -> None:
        async def one(name: str) -> int:
            async with transactions.begin(actor=Actor(name, ActorKind.PERSON), request_id="test") as tx:
                return await draft(tx)

        numbers = await asyncio.gather(*(one(f"author {n}") for n in range(8)))
        assert sorted(numbers) == list(range(2, 10))

    async def test_a_first_approval_and_a_lone_activation_never_both_win(self, transactions: Transactions) -> None:
        """Were the segment not locked, both could see that nobody had approved before."""
        ann, bob = (Actor(name, ActorKind.PERSON) for name in ("ann", "bob"))
        async with transactions.begin(actor=ann, request_id="test") as tx:
            submitted, lone = await draft(tx), await draft(tx)
            await policies.submit(tx, segment="main", number=submitted)

        async def approve() -> str:
            async with transactions.begin(actor=bob, request_id="test") as tx:
                await policies.approve(tx, segment="main", number=submitted)
                await asyncio.sleep(0.2)
                return "approved"

        async def activate() -> str:
            try:
                async with transactions.begin(actor=ann, request_id="test") as tx:
                    await asyncio.sleep(0.1)
                    await policies.activate(tx, segment="main", number=lone)
                    return "activated"
            except PolicyNotApproved as refusal:
                return refusal.code

        approval, activation = await asyncio.gather(approve(), activate())
        assert (approval, activation) == ("approved", PolicyNotApproved.code)
