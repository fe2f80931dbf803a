"""Use cases of customers, against a database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from app.domains.customers import service as customers
from app.domains.customers.core.customer import (
    ContactDetails,
    ContactRole,
    Customer,
    Particulars,
    Registration,
    RegistrationScheme,
)
from app.domains.customers.core.events import CustomerChanged, CustomerCreated
from app.domains.customers.core.groups import MAX_DEPTH
from app.domains.customers.core.refusals import (
    CustomerNotFound,
    GroupTooDeep,
    ParentCycle,
    ParentUnknown,
    RegistrationInvalid,
)
from app.infra.clock import FrozenClock
from app.infra.db.paging import PageRequest
from app.infra.http.etag import VersionStale
from app.infra.transaction import Transaction, Transactions
from app.kernel.events import Event
from app.kernel.identity import SYSTEM
from tests.support.api import MONDAY

PLAIN = Particulars(name="Red Star Trading", country="CN")
DUNNING = ContactDetails(ContactRole.DUNNING, "Li Wei", "li@example.com")
ORDERS = ContactDetails(ContactRole.ORDERS, "Zhang San", phone="+86 10 1234")


async def put(tx: Transaction, customer_id: str, parent_id: str | None = None) -> Customer:
    filed = await customers.put(tx, customer_id=customer_id, particulars=replace(PLAIN, parent_id=parent_id))
    return filed.customer


async def put_chain(tx: Transaction, length: int, prefix: str = "C") -> list[str]:
    """A chain of customers, the head first."""
    names = [f"{prefix}{level}" for level in range(length)]
    for level, name in enumerate(names):
        await put(tx, name, names[level - 1] if level else None)
    return names


class TestPut:
    async def test_creates_a_customer(self, tx: Transaction) -> None:
        filed = await customers.put(tx, customer_id="C1", particulars=PLAIN, contacts=[DUNNING])
        assert filed.created
        assert filed.customer.version == 1
        assert await customers.get_filed(tx, customer_id="C1") == replace(filed, created=False)

    async def test_says_that_it_was_created(self, tx: Transaction) -> None:
        await put(tx, "C1")
        (event,) = tx.take_events()
        assert isinstance(event, CustomerCreated)
        assert (event.subject_id, event.customer_id, event.after["country"]) == ("C1", "C1", "CN")

    async def test_replaces_all_that_is_known(self, tx: Transaction) -> None:
        await customers.put(tx, customer_id="C1", particulars=replace(PLAIN, industry="toys"))
        filed = await customers.put(tx, customer_id="C1", particulars=replace(PLAIN, profile="retail"))
        assert not filed.created
        assert (filed.customer.industry, filed.customer.profile, filed.customer.version) == (None, "retail", 2)

    async def test_says_what_has_changed(self, tx: Transaction) -> None:
        await put(tx, "C1")
        tx.take_events()
        await customers.put(tx, customer_id="C1", particulars=replace(PLAIN, profile="retail"))
        (event,) = tx.take_events()
        assert isinstance(event, CustomerChanged)
        assert (event.before, event.after) == ({"profile": "default"}, {"profile": "retail"})
        assert event.profile_changed
        assert not event.parent_changed
        assert not event.terms_changed

    async def test_of_the_same_changes_and_says_nothing(self, tx: Transaction) -> None:
        first = await customers.put(tx, customer_id="C1", particulars=PLAIN, contacts=[DUNNING, ORDERS])
        tx.take_events()
        again = await customers.put(tx, customer_id="C1", particulars=PLAIN, contacts=[DUNNING, ORDERS])
        assert again == replace(first, created=False)
        assert tx.take_events() == ()

    async def test_keeps_the_ids_of_contacts_that_stay(self, tx: Transaction) -> None:
        first = await customers.put(tx, customer_id="C1", particulars=PLAIN, contacts=[DUNNING, ORDERS])
        second = await customers.put(tx, customer_id="C1", particulars=PLAIN, contacts=[ORDERS, DUNNING, DUNNING])
        assert [contact.id for contact in second.contacts[:2]] == [first.contacts[1].id, first.contacts[0].id]
        assert len({contact.id for contact in second.contacts}) == 3

    async def test_puts_no_personal_data_into_events(self, tx: Transaction) -> None:
        await customers.put(tx, customer_id="C1", particulars=PLAIN, contacts=[DUNNING])
        await customers.put(tx, customer_id="C1", particulars=PLAIN, contacts=[replace(DUNNING, name="Li Na"), ORDERS])
        said = repr(tx.take_events())
        assert all(word not in said for word in ("Li Wei", "Li Na", "example.com", "1234"))

    async def test_removes_contacts_that_are_left_out(self, tx: Transaction) -> None:
        await customers.put(tx, customer_id="C1", particulars=PLAIN, contacts=[DUNNING])
        await customers.put(tx, customer_id="C1", particulars=PLAIN)
        assert await customers.contacts_of(tx, customer_id="C1") == []

    async def test_asks_the_precondition_about_the_version(self, tx: Transaction) -> None:
        asked: list[int | None] = []
        await customers.put(tx, customer_id="C1", particulars=PLAIN, precondition=asked.append)
        await customers.put(tx, customer_id="C1", particulars=PLAIN, precondition=asked.append)
        assert asked == [None, 1]

    async def test_does_nothing_where_the_precondition_refuses(self, tx: Transaction) -> None:
        def refuse(version: int | None) -> None:
            raise VersionStale

        with pytest.raises(VersionStale):
            await customers.put(tx, customer_id="C1", particulars=PLAIN, precondition=refuse)
        assert await customers.find(tx, customer_ids=["C1"]) == {}

    async def test_refuses_a_wrong_registration(self, tx: Transaction) -> None:
        wrong = Registration(RegistrationScheme.EU_VAT, "DE1")
        with pytest.raises(RegistrationInvalid):
            await customers.put(tx, customer_id="C1", particulars=replace(PLAIN, registration=wrong))

    async def test_stores_the_registration_in_its_compact_form(self, tx: Transaction) -> None:
        spaced = replace(PLAIN, registration=Registration(RegistrationScheme.EU_VAT, "DE 136 695 976"))
        filed = await customers.put(tx, customer_id="C1", particulars=spaced)
        assert filed.customer.registration == Registration(RegistrationScheme.EU_VAT, "DE136695976")
        tx.take_events()
        await customers.put(tx, customer_id="C1", particulars=spaced)
        assert tx.take_events() == ()


class TestParents:
    async def test_make_a_group(self, tx: Transaction) -> None:
        chain = await put_chain(tx, 4)
        assert await customers.ancestors(tx, customer_id=chain[3]) == [chain[2], chain[1], chain[0]]
        assert await customers.ancestors(tx, customer_id=chain[0]) == []
        assert await customers.descendants(tx, customer_id=chain[1]) == chain[1:]

    async def test_list_descendants_level_by_level(self, tx: Transaction) -> None:
        await put(tx, "HEAD")
        await put(tx, "B", "HEAD")
        await put(tx, "A", "HEAD")
        await put(tx, "A1", "A")
        assert await customers.descendants(tx, customer_id="HEAD") == ["HEAD", "A", "B", "A1"]

    async def test_of_an_unknown_customer_are_none(self, tx: Transaction) -> None:
        assert await customers.ancestors(tx, customer_id="C1") == []
        assert await customers.descendants(tx, customer_id="C1") == []

    async def test_must_be_known(self, tx: Transaction) -> None:
        with pytest.raises(ParentUnknown):
            await put(tx, "C1", "NOBODY")

    async def test_cannot_be_the_customer_itself(self, tx: Transaction) -> None:
        with pytest.raises(ParentCycle):
            await put(tx, "C1", "C1")
        await put(tx, "C2")
        with pytest.raises(ParentCycle):
            await put(tx, "C2", "C2")

    async def test_cannot_be_a_descendant(self, tx: Transaction) -> None:
        chain = await put_chain(tx, 3)
        with pytest.raises(ParentCycle):
            await put(tx, chain[0], chain[2])

    async def test_changing_is_said_in_the_event(self, tx: Transaction) -> None:
        await put(tx, "HEAD")
        await put(tx, "C1")
        tx.take_events()
        await put(tx, "C1", "HEAD")
        (event,) = tx.take_events()
        assert isinstance(event, CustomerChanged)
        assert event.parent_changed
        assert (event.before["parent_id"], event.after["parent_id"]) == (None, "HEAD")

    async def test_can_be_left(self, tx: Transaction) -> None:
        await put_chain(tx, 2)
        assert (await put(tx, "C1")).parent_id is None
        assert await customers.descendants(tx, customer_id="C0") == ["C0"]

    async def test_are_bounded_in_depth(self, tx: Transaction) -> None:
        chain = await put_chain(tx, MAX_DEPTH)
        with pytest.raises(GroupTooDeep):
            await put(tx, "BELOW", chain[-1])
        await put(tx, "ABOVE")
        with pytest.raises(GroupTooDeep):
            await put(tx, chain[0], "ABOVE")


class TestGet:
    async def test_refuses_an_unknown_customer(self, tx: Transaction) -> None:
        with pytest.raises(CustomerNotFound):
            await customers.get(tx, customer_id="NOBODY")

    async def test_tells_case_apart(self, tx: Transaction) -> None:
        await put(tx, "c1")
        with pytest.raises(CustomerNotFound):
            await customers.get(tx, customer_id="C1")

    async def test_finds_those_that_exist(self, tx: Transaction) -> None:
        await put(tx, "C1")
        await put(tx, "C2")
        assert set(await customers.find(tx, customer_ids=["C1", "C2", "NOBODY"])) == {"C1", "C2"}


class TestList:
    @pytest.fixture(autouse=True)
    async def known(self, tx: Transaction) -> None:
        for customer_id, name in (("C-1", "Red Star"), ("C-2", "RED Lantern"), ("X_3", "50% Off"), ("X-4", "红星贸易")):
            await customers.put(tx, customer_id=customer_id, particulars=replace(PLAIN, name=name))
        await customers.put(tx, customer_id="C-1", particulars=replace(PLAIN, name="Red Star", profile="retail"))

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("red", {"C-1", "C-2"}),
            ("x", {"X_3", "X-4"}),
            ("X_", {"X_3"}),
            ("%", {"X_3"}),
            ("红星", {"X-4"}),
            ("c-2", {"C-2"}),
            ("nothing", set()),
        ],
    )
    async def test_finds_a_part_of_a_name_or_id_in_any_case(self, tx: Transaction, query: str, found: set[str]) -> None:
        page = await customers.list_customers(tx, page=PageRequest(), query=query)
        assert {filed.customer.customer_id for filed in page.items} == found

    async def test_finds_by_profile(self, tx: Transaction) -> None:
        page = await customers.list_customers(tx, page=PageRequest(), profile="retail")
        assert [filed.customer.customer_id for filed in page.items] == ["C-1"]

    async def test_pages_without_loss(self, tx: Transaction) -> None:
        seen: list[str] = []
        cursor: str | None = None
        while True:
            page = await customers.list_customers(tx, page=PageRequest(limit=3, cursor=cursor))
            seen += [filed.customer.customer_id for filed in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert sorted(seen) == ["C-1", "C-2", "X-4", "X_3"]


class TestConcurrently:
    """Several transactions at once, on a database of the test's own."""

    @pytest.fixture
    def transactions(self, engine: AsyncEngine) -> Transactions:
        async def forget(tx: Transaction, events: Sequence[Event]) -> None:
            return None

        sessions = async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)
        return Transactions(sessions, clock=FrozenClock(MONDAY), journal=forget, reactions={})

    async def file(self, transactions: Transactions, customer_id: str, parent_id: str | None = None) -> bool | str:
        """Whether it was created; the code of a refusal."""
        try:
            async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
                filed = await customers.put(
                    tx, customer_id=customer_id, particulars=replace(PLAIN, parent_id=parent_id)
                )
                return filed.created
        except ParentCycle as refusal:
            return refusal.code

    async def test_two_edits_never_make_a_circle(self, transactions: Transactions) -> None:
        names = [f"C{number}" for number in range(6)]
        for name in names:
            await self.file(transactions, name)
        pairs = list(zip(names, [*names[1:], names[0]], strict=True))
        outcomes = await asyncio.gather(*(self.file(transactions, child, parent) for child, parent in pairs))
        assert outcomes.count(ParentCycle.code) == 1
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            heads = [name for name in names if not await customers.ancestors(tx, customer_id=name)]
        assert len(heads) == 1

    async def test_one_of_many_creates(self, transactions: Transactions) -> None:
        outcomes = await asyncio.gather(*(self.file(transactions, "C1") for _ in range(8)))
        assert sorted(outcomes) == [False] * 7 + [True]
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            assert (await customers.get(tx, customer_id="C1")).version == 1
