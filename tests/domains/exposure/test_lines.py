"""Lines before accounts: short for those who come again, and left by everybody."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest
from httpx import AsyncClient, Response

from app.domains.exposure import service as exposure
from app.domains.exposure.core.refusals import AccountBusy
from app.domains.exposure.service.lines import LONGEST, Lines
from app.infra.transaction import Transaction, Transactions
from app.kernel.identity import SYSTEM
from tests.support.business import open_account

REQUEST = cast(Transaction, SimpleNamespace(comes_again=True))
JOB = cast(Transaction, SimpleNamespace(comes_again=False))


class TestJoining:
    async def test_is_refused_behind_a_line_that_is_long_enough(self) -> None:
        lines = Lines()
        waiting = [lines.joined(REQUEST, ["A", "B"]) for _ in range(LONGEST)]
        for place in waiting:
            place.__enter__()
        with pytest.raises(AccountBusy), lines.joined(REQUEST, ["B", "C"]):
            pytest.fail("the line of B is long enough")
        with lines.joined(REQUEST, ["C"]):
            pass
        waiting[0].__exit__(None, None, None)
        with lines.joined(REQUEST, ["B", "C"]):
            pass

    async def test_is_always_granted_to_those_who_do_not_come_again(self) -> None:
        lines = Lines()
        waiting = [lines.joined(JOB, ["A"]) for _ in range(LONGEST + 1)]
        for place in waiting:
            place.__enter__()
        with pytest.raises(AccountBusy), lines.joined(REQUEST, ["A"]):
            pytest.fail("jobs stand in line too")

    async def test_takes_what_names_accounts_in_any_form(self) -> None:
        lines = Lines()
        with lines.joined(REQUEST, {"A": "an account"}), lines.joined(REQUEST, {"A"}), pytest.raises(AccountBusy):
            lines.joined(REQUEST, ["A"]).__enter__()

    async def test_ends_with_the_block_however_it_ends(self) -> None:
        lines = Lines()
        for _ in range(LONGEST + 1):
            with pytest.raises(ZeroDivisionError), lines.joined(REQUEST, ["A", "A"]):
                raise ZeroDivisionError


class TestTurns:
    async def test_come_in_the_order_of_arrival_and_pass_over_those_who_have_gone(self) -> None:
        lines = Lines()
        inside = [lines.joined(REQUEST, ["A"]) for _ in range(LONGEST)]
        for place in inside:
            place.__enter__()
        gone, first, second = (turn_at(lines, "A") for _ in range(3))
        gone.cancel()
        inside[0].__exit__(None, None, None)
        assert (first.done(), second.done()) == (True, False)
        inside[1].__exit__(None, None, None)
        assert second.done()


def turn_at(lines: Lines, key: str) -> asyncio.Future[None]:
    with pytest.raises(AccountBusy) as refused, lines.joined(REQUEST, [key]):
        pytest.fail("the line is long enough")
    assert isinstance(refused.value.turn, asyncio.Future)
    return refused.value.turn


class TestACrowdAtOneAccount:
    @pytest.mark.parametrize("keyed", [True, False])
    async def test_is_served_in_the_end_whoever_holds_the_account_for_a_moment(
        self, api: AsyncClient, transactions: Transactions, keyed: bool
    ) -> None:
        await open_account(transactions, "C1")
        async with transactions.begin(actor=SYSTEM, request_id="test") as holder:
            await exposure.lock(holder, keys=[("C1", "main")])
            crowd = [asyncio.create_task(bill(api, number, keyed=keyed)) for number in range(30)]
            await asyncio.sleep(0.3)
            assert not any(asked.done() for asked in crowd)
        answers = await asyncio.gather(*crowd)
        assert {answer.status_code for answer in answers} == {201}, [a.text for a in answers if a.status_code != 201]
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            account = await exposure.account(tx, customer_id="C1", segment="main")
            assert account.exposure.receivables == 30


async def bill(api: AsyncClient, number: int, *, keyed: bool) -> Response:
    body = {"invoice_no": f"I-{number}", "customer_id": "C1", "amount": "1.00", "currency": "CNY"}
    headers = {"Idempotency-Key": f"key {number}"} if keyed else {}
    return await api.post("/v1/invoices", json={**body, "issued_on": "2026-03-01"}, headers=headers)
