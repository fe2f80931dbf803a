"""The demo company that `headroom serve --demo` loads on first start, and the credit check that it shows.

Everything goes through the use cases that a real company's systems call, on a clock that begins four months ago, so
that the journal, the ledger and `?as_of=` have a past to tell. The same day gives the same company.
"""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from fastapi import FastAPI

from app.cli.demo import company, story
from app.cli.demo.diary import ORDER_ENTRY, SEGMENT, Diary
from app.cli.demo.unfinished import place
from app.domains.customers import service as customers
from app.domains.exposure import service as exposure
from app.domains.orders import service as orders
from app.domains.orders.check_schemas import CreditCheckIn
from app.domains.orders.records import Question
from app.infra.clock import FrozenClock, SystemClock
from app.infra.db.paging import PageRequest
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from app.main import create_app
from app.settings import Settings

SHOWN: Final[dict[str, Any]] = {
    "customer_id": company.SHOWCASE.customer_id,
    "order_ref": "SO-DEMO",
    "amount": "220000.00",
    "currency": company.SHOWCASE.home.order_currency,
    "reserve": False,
}
"""A check that is referred for two reasons. It has no consequences, so that it can be asked again and again."""

_WIDTH: Final = 110


class DemoUnfinished(Exception):
    """The database has a part of a demo company; the message says what to do."""


async def introduce(settings: Settings) -> tuple[bool, dict[str, Any]]:
    """Loads the demo company into a database without customers; whether it did, and the answer to the check `SHOWN`.

    In a database with customers of its own the check is only asked if the one it names is among them: then the answer
    is empty.
    """
    assert settings.database_url, "use it within `database(…)`"
    clock = FrozenClock(SystemClock().now())
    async with place(settings.database_url) as here, _application(settings, clock) as app:
        transactions: Transactions = app.state.transactions
        async with transactions.begin(actor=SYSTEM, request_id="demo") as tx:
            new = not (await customers.list_customers(tx, page=PageRequest(limit=1))).items
        if new:
            async with here.marked():
                await _load(app, clock, ZoneInfo(settings.time_zone))
        async with transactions.begin(actor=SYSTEM, request_id="demo") as tx:
            known = await exposure.known_accounts(tx, keys=[(SHOWN["customer_id"], SEGMENT)])
        return new, await _answer(app) if known else {}


async def make_anew_if_unfinished(settings: Settings, *, ours: bool) -> None:
    """Empties a database of `ours` in which the load of a demo company was interrupted.

    In somebody else's there may be more by now: raises `DemoUnfinished`.
    """
    assert settings.database_url, "use it within `database(…)`"
    async with place(settings.database_url) as here:
        if not await here.is_unfinished():
            return
        if not ours:
            raise DemoUnfinished("the load of the demo company was interrupted: drop the database and start anew")
        await here.make_anew()


def curl(settings: Settings, key: str) -> str:
    """The check `SHOWN` as a line for a shell; `key` is an API key, or a shell variable that holds it."""
    body = shlex.quote(orjson.dumps(SHOWN).decode())
    return (
        f"curl -s http://{settings.host}:{settings.port}/v1/credit-checks"
        f' -H "Authorization: Bearer {key}" -H "Content-Type: application/json" -d {body}'
    )


def pretty(value: Any, indent: str = "") -> str:
    """JSON for people: what fits into a line stays on it."""
    line = orjson.dumps(value).decode()
    if not isinstance(value, dict | list) or len(indent) + len(line) <= _WIDTH:
        return line
    inner = indent + "  "
    if isinstance(value, list):
        parts = [inner + pretty(item, inner) for item in value]
        return "[\n" + ",\n".join(parts) + f"\n{indent}]"
    parts = [f"{inner}{orjson.dumps(name).decode()}: {pretty(item, inner)}" for name, item in value.items()]
    return "{\n" + ",\n".join(parts) + f"\n{indent}}}"


@asynccontextmanager
async def _application(settings: Settings, clock: FrozenClock) -> AsyncIterator[FastAPI]:
    """The application without its jobs, its clock in our hands."""
    app = create_app(settings.model_copy(update={"worker_in_server": False}), clock=clock)
    async with app.router.lifespan_context(app):
        yield app


async def _load(app: FastAPI, clock: FrozenClock, zone: ZoneInfo) -> None:
    transactions: Transactions = app.state.transactions
    diary = Diary(app.state.desk, transactions, clock, zone, seed=story.SEED)
    story.tell(diary)
    await diary.play(story.FIRST_DAY)
    keys = [(party.customer_id, SEGMENT) for party in company.PARTIES]
    async with transactions.begin(actor=SYSTEM, request_id="demo") as tx:
        await exposure.refresh(tx, keys=keys)
    async with transactions.begin(actor=SYSTEM, request_id="demo") as tx:
        for customer_id, segment in await orders.accounts_with_lapsing_reviews(tx):
            await orders.lapse_reviews(tx, customer_id=customer_id, segment=segment)


async def _answer(app: FastAPI) -> dict[str, Any]:
    request = CreditCheckIn.model_validate(SHOWN).request()
    question = Question(request=request, caller=ORDER_ENTRY.name, actor=ORDER_ENTRY, request_id="demo")
    answered = await app.state.desk.decide(question)
    answer: dict[str, Any] = orjson.loads(answered.body)
    return answer
