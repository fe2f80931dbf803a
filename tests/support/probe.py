"""A router for tests of the platform: one route for each thing that can happen to a request."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Query
from sqlalchemy import text

from app.infra.http.fields import AmountText, CurrencyCode, PathReference, Whole, Wire
from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.kernel.errors import Busy, Conflict, Invalid
from app.kernel.events import Event
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(tags=["probe"], route_class=IdempotentRoute)
GUARD = [requires(Scope.ORDERS_CHECK)]


class Noted(Event):
    type: ClassVar[str] = "noted"
    subject_type: ClassVar[str] = "note"


class Note(Wire):
    text: str
    amount: AmountText | None = None
    currency: CurrencyCode | None = None
    count: Annotated[Whole | None, Query(ge=0)] = None


class NoteOut(Wire):
    id: str
    text: str
    by: str


class Full(Conflict):
    code = "probe_full"
    title = "The probe is full"


class Later(Busy):
    code = "probe_later"
    title = "Not now"


class Impossible(Invalid):
    code = "probe_impossible"
    title = "That cannot be"


def _remembered() -> Full:
    refusal = Full("there are 7")
    refusal.attempt = Noted(subject_id="7", after={"refused": refusal.code})
    return refusal


REFUSALS = {
    "remembered": _remembered(),
    "full": Full("there are 7", held=7),
    "later": Later(retry_after=2.5),
    "impossible": Impossible("no such thing can be"),
}


@router.post("/v1/probe/notes", status_code=201, dependencies=GUARD, responses=problems(409))
async def write_note(tx: Tx, caller: Caller, note: Note) -> NoteOut:
    note_id = str(tx.new_id())
    tx.emit(Noted(subject_id=note_id, customer_id="C1", segment="main", after={"text": note.text}))
    if note.text in REFUSALS:
        await tx.session.flush()
        raise REFUSALS[note.text]
    if note.text == "slow":
        await asyncio.sleep(0.3)
    if note.text == "crash":
        raise RuntimeError("the secret cause")
    return NoteOut(id=note_id, text=note.text, by=caller.name)


@router.post("/v1/probe/unlucky", dependencies=GUARD)
async def fail_at_commit(tx: Tx) -> NoteOut:
    await tx.session.execute(text("create temporary table once (x int, unique (x) deferrable initially deferred)"))
    await tx.session.execute(text("insert into once values (1), (1)"))
    return NoteOut(id="1", text="never", by="nobody")


@router.get("/v1/probe/sleep", dependencies=GUARD)
async def sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)


@router.get("/v1/probe/papers", dependencies=GUARD)
async def list_papers(page: PageQuery) -> Page[str]:
    return Page(items=[str(page.limit), str(page.descending)], next_cursor=None)


@router.get("/v1/probe/papers/{paper}", dependencies=GUARD)
async def get_paper(paper: PathReference, segment: str = "main") -> dict[str, str]:
    return {"paper": paper, "segment": segment}


@router.post("/v1/probe/papers/{paper}/copies/{copy}", dependencies=GUARD)
async def copy_paper(paper: PathReference, copy: PathReference) -> dict[str, str]:
    return {"paper": paper, "copy": copy}


@router.post("/v1/probe/batch", dependencies=GUARD)
async def batch(items: list[Any]) -> int:
    return len(items)


@router.get("/v1/probe/segments/{segment}", dependencies=GUARD, responses=problems(404))
async def get_segment(caller: Caller, segment: str) -> str:
    return caller.confine(segment)
