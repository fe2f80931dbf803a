"""The queue of referred orders by what is at stake: exact at any size, and the same as each order says of itself."""

from __future__ import annotations

import base64
import random
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import text

from app.domains.exposure import service as exposure
from app.infra.clock import FrozenClock
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from tests.domains.orders.world import Json, check, open_account, refused

CHECKS: Final = "/v1/credit-checks"
MANY: Final = 2_400

_COPY: Final = text("""
    insert into credit_checks
    select made.* from credit_checks c
     cross join (select n, gen_random_uuid() as id, 1000 + (n * 7919) % :many as amount
                   from generate_series(1, :many) n offset 0) m
     cross join lateral jsonb_populate_record(c, jsonb_build_object(
               'id', m.id, 'order_ref', 'MANY-' || m.n, 'amount', m.amount,
               'answer', c.answer::jsonb || jsonb_build_object('id', m.id, 'amount', m.amount || '.00'))) made
     where c.id = :id
""")
"""Open reviews like one that was really referred, of different amounts."""
_ASSESS: Final = text("""
    insert into assessments (id, customer_id, segment, score, grade, probability, confidence, limit_amount, currency,
        review_on, policy_version, policy_profile, facts_digest, facts, finding, assessed_by, assessed_at)
    values (gen_random_uuid(), :customer, 'main', 50, 'C', :probability, 50, 0, 'CNY', '2027-01-01', 1, 'default',
        '', '{}', '{}', 'test', :at)
""")


async def queue(api: AsyncClient, **params: Any) -> list[Json]:
    """Everything in the queue, page by page."""
    found: list[Json] = []
    asked = {"sort": "stake", **params}
    while True:
        page = (await api.get(CHECKS, params=asked)).raise_for_status().json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        asked["cursor"] = page["next_cursor"]


class TestByStake:
    async def test_ranks_all_however_many_there_are(self, api: AsyncClient, transactions: Transactions) -> None:
        """The largest is the last that came, behind more than any page holds."""
        await open_account(api, "C-1", limit="1")
        asked = await check(api, "500")
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            await tx.session.execute(_COPY, {"id": asked["id"], "many": MANY})
        last = await check(api, "1000000", "LAST")
        found = await queue(api, limit=500)
        amounts = [Decimal(item["amount"]) for item in found]
        assert found[0]["id"] == last["id"]
        assert len({item["id"] for item in found}) == len(found) == MANY + 2
        assert amounts == sorted(amounts, reverse=True)

    async def test_is_of_the_same_opinion_as_each_order(
        self, api: AsyncClient, transactions: Transactions, clock: FrozenClock
    ) -> None:
        """Whatever covers it, whatever is owed, in whichever currency, assessed or not."""
        drawn = random.Random(7)
        rates = {"base": "EUR", "rates": {"CNY": "7.83", "USD": "1.0837", "JPY": "161.4"}}
        (await api.put("/v1/fx-rates/2026-03-02", json=rates)).raise_for_status()
        for number in range(12):
            await company(api, transactions, drawn, number, clock)
        found = await queue(api, limit=7)
        into_cny = {"CNY": Decimal(1), "EUR": Decimal("7.83"), "JPY": Decimal("7.83") / Decimal("161.4")}
        worst = [expected(item, into_cny) for item in found]
        assert len(found) > 20
        assert worst == sorted(worst, reverse=True), worst
        assert any(item["expected_loss"] is not None for item in found)
        assert any(item["expected_loss"] is None for item in found)

    async def test_puts_first_what_no_exchange_rate_tells(self, api: AsyncClient) -> None:
        await open_account(api, "C-1", limit="1")
        await check(api, "1000000", "LARGE")
        await check(api, "1", "FOREIGN", currency="EUR")
        assert [item["order_ref"] for item in await queue(api)] == ["FOREIGN", "LARGE"]

    async def test_shows_what_is_asked_for(self, api: AsyncClient, clock: FrozenClock) -> None:
        for customer_id in ("C-1", "C-2"):
            await open_account(api, customer_id, limit="1")
            await check(api, "10", f"O-{customer_id}", customer_id=customer_id)
        assert [item["order_ref"] for item in await queue(api, customer_id="C-2")] == ["O-C-2"]
        assert [item["order_ref"] for item in await queue(api, order_ref="O-C-1")] == ["O-C-1"]
        clock.move(by=timedelta(days=30))
        assert await queue(api) == []

    @pytest.mark.parametrize(
        "place",
        [
            '["-1", "{}"]',
            '["NaN", "{}"]',
            '["1e999999", "{}"]',
            '["1e-999999", "{}"]',
            '["1e31", "{}"]',
            '[1, "x"]',
            "7",
        ],
    )
    async def test_refuses_places_that_no_order_has(self, api: AsyncClient, place: str) -> None:
        cursor = base64.urlsafe_b64encode(place.replace("{}", str(UUID(int=1))).encode()).decode().rstrip("=")
        refused(await api.get(CHECKS, params={"sort": "stake", "cursor": cursor}), 422, "cursor_malformed")


async def company(
    api: AsyncClient, transactions: Transactions, drawn: random.Random, number: int, clock: FrozenClock
) -> None:
    """A customer of which nobody knows what it owes, by what it is covered and how probable its default is."""
    customer_id, kept = f"Q-{number}", drawn.choice(("CNY", "EUR", "JPY"))
    await open_account(api, customer_id, limit=None, currency=kept)
    if drawn.random() < 0.6:
        body = {"invoice_no": f"I-{number}", "customer_id": customer_id, "amount": drawn.randint(1, 900)}
        await api.post("/v1/invoices", json={**body, "currency": kept, "issued_on": "2026-03-02", "net_days": 30})
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        if drawn.random() < 0.6:
            until = drawn.choice((None, date(2026, 3, 1), date(2026, 3, 2)))
            cover = Decimal(drawn.randint(0, 1500))
            await exposure.note_risk(tx, customer_id=customer_id, segment="main", cover_amount=cover, cover_until=until)
        for days in range(drawn.choice((0, 1, 2))):
            known = {"customer": customer_id, "at": clock.now() - timedelta(days=days)}
            await tx.session.execute(_ASSESS, {**known, "probability": Decimal(drawn.randint(0, 10**6)) / 10**6})
    for order in range(3):
        amount, asked = str(drawn.randint(1, 2000)), drawn.choice(("CNY", "EUR", "USD", "JPY"))
        await check(api, amount, f"O-{number}-{order}", customer_id=customer_id, currency=asked)


def expected(item: Json, into: dict[str, Decimal]) -> Decimal:
    """What an order says it may cost, in CNY: under certain default where nobody knows better."""
    lost = item["expected_loss"]
    if lost is None:
        smallest = Decimal(1) if item["account_currency"] == "JPY" else Decimal("0.01")
        lost = (Decimal(item["uncovered"]) * Decimal("0.45")).quantize(smallest, ROUND_HALF_UP)
    return (Decimal(lost) * into[item["account_currency"]]).quantize(Decimal("0.01"), ROUND_HALF_UP)
