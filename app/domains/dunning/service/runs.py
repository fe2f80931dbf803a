"""Use cases of runs: propose, look, release, withdraw; the pages that jobs go on with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from app.domains.dunning.core.events import (
    DunningNoticeReleased,
    DunningRunDone,
    DunningRunProposed,
    DunningRunReleased,
    DunningRunWithdrawn,
)
from app.domains.dunning.core.notices import NOTICES, RUNS, NoticeMove, NoticeState, RunMove, RunState
from app.domains.dunning.core.refusals import DunningRunNotFound, RunIncomplete, RunInFuture, RunNotProposed, at
from app.domains.dunning.repository import notices as repository
from app.domains.dunning.service import proposing
from app.domains.dunning.service.pending import drop
from app.domains.dunning.service.proposing import Page, Skipped
from app.domains.dunning.tables import DunningNoticeRow, DunningRunRow, DunningSkipRow
from app.domains.policies import service as policies
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction

PAGES_AT_ONCE: Final = 2
"""Pages of customers that a request looks at by itself; the jobs go on with the others."""
SHOWN_MAX: Final = 500
RELEASED_A_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Preview:
    """What a run would propose; nothing was written. `is_complete`: every customer was looked at."""

    segment: str
    run_on: date
    pages: Sequence[Page]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class RunView:
    """A run with its first notices, and why the first of the others got none."""

    run: DunningRunRow
    notices: Sequence[DunningNoticeRow]
    skipped: Sequence[DunningSkipRow | Skipped]


async def today(tx: Transaction, segment: str) -> date:
    """What day it is in a segment. Raises `SegmentNotFound`."""
    return await policies.today(tx, segment=segment)


async def preview(tx: Transaction, *, segment: str, run_on: date | None = None) -> Preview:
    """What a run on that day, also one to come, would propose as things are now."""
    on = run_on or await today(tx, segment)
    await policies.segment(tx, segment=segment)
    pages: list[Page] = []
    after: str | None = ""
    while after is not None and len(pages) < PAGES_AT_ONCE:
        pages.append(await proposing.look(tx, segment=segment, on=on, after_customer=after))
        after = pages[-1].last_customer
    return Preview(segment, on, pages, is_complete=after is None)


async def propose(
    tx: Transaction,
    *,
    segment: str,
    run_on: date | None = None,
    origin: str = "person",
    release_when_complete: bool = False,
    pages: int = PAGES_AT_ONCE,
) -> RunView:
    """Begins a run and looks at its first customers. Raises `SegmentNotFound`, `PolicyMissing`, `RunInFuture`."""
    present = await today(tx, segment)
    on = run_on or present
    if on > present:
        raise at(RunInFuture, "/run_on", f"today is {present}; a dry run may look ahead")
    run = DunningRunRow(
        id=tx.new_id(),
        segment=segment,
        run_on=on,
        origin=origin,
        state=RunState.PROPOSED.value,
        after_customer="",
        is_complete=False,
        release_when_complete=release_when_complete,
        notices=0,
        skipped=0,
        created_by=tx.actor.name,
        created_at=tx.now,
    )
    tx.session.add(run)
    await tx.session.flush()
    for _ in range(pages):
        if not run.is_complete:
            await proposing.propose_page(tx, run)
    after = {"state": run.state, "run_on": on.isoformat(), "origin": origin}
    tx.emit(DunningRunProposed(subject_id=str(run.id), segment=segment, after=after))
    return await view(tx, run)


async def go_on(tx: Transaction, *, run_id: UUID) -> bool:
    """The next step of a run: another page of customers, the release it asked for, a page of notices to be handed on.

    Whether there may be more to do.
    """
    run = await _find(tx, run_id, lock=True)
    if run.state == RunState.PROPOSED and not run.is_complete:
        await proposing.propose_page(tx, run)
        return True
    if run.state == RunState.PROPOSED and run.release_when_complete:
        await _release(tx, run)
        return True
    if run.state == RunState.RELEASED:
        return await _hand_on(tx, run)
    return False


async def release(tx: Transaction, *, run_id: UUID, segments: frozenset[str] | None = None) -> RunView:
    """Lets the notices of a run be sent. Raises `DunningRunNotFound`, `RunNotProposed`, `RunIncomplete`."""
    run = await _find(tx, run_id, lock=True, segments=segments)
    if run.state != RunState.PROPOSED:
        raise RunNotProposed(f"the run is {run.state}")
    if not run.is_complete:
        raise RunIncomplete(f"it has come to customer {run.after_customer!r}")
    await _release(tx, run)
    return await view(tx, run)


async def withdraw(tx: Transaction, *, run_id: UUID, reason: str, segments: frozenset[str] | None = None) -> RunView:
    """Gives a proposal up with all its notices. Raises `DunningRunNotFound`, `RunNotProposed`."""
    run = await _find(tx, run_id, lock=True, segments=segments)
    if run.state != RunState.PROPOSED:
        raise RunNotProposed(f"the run is {run.state}")
    while notices := await repository.proposed_of_run(tx.session, run.id, limit=RELEASED_A_PAGE):
        for notice in notices:
            await drop(tx, notice, reason=reason)
        await tx.session.flush()
    run.state = RUNS.after(RunState(run.state), RunMove.WITHDRAW).value
    run.ended_at = tx.now
    after = {"state": run.state, "reason": reason}
    tx.emit(DunningRunWithdrawn(subject_id=str(run.id), segment=run.segment, before={"state": "proposed"}, after=after))
    return await view(tx, run)


async def get(tx: Transaction, *, run_id: UUID, segments: frozenset[str] | None = None) -> RunView:
    """One run. Raises `DunningRunNotFound`."""
    return await view(tx, await _find(tx, run_id, segments=segments))


async def list_runs(tx: Transaction, *, segment: str, page: PageRequest) -> Slice[DunningRunRow]:
    """Runs of a segment, by the instant they began."""
    return await repository.runs_page(tx.session, page, segment=segment)


async def list_skipped(
    tx: Transaction, *, run_id: UUID, page: PageRequest, segments: frozenset[str] | None = None
) -> Slice[DunningSkipRow]:
    """Who got nothing in a run, and why, by customer. Raises `DunningRunNotFound`."""
    run = await _find(tx, run_id, segments=segments)
    return await repository.skips_page(tx.session, page, run_id=run.id)


async def unfinished(tx: Transaction) -> Sequence[UUID]:
    """The runs that there is something to do for."""
    return await repository.unfinished_runs(tx.session)


async def view(tx: Transaction, run: DunningRunRow) -> RunView:
    """The run with its first notices, and the first customers that were skipped."""
    await tx.session.flush()
    notices = await repository.notices_of_run(tx.session, run.id, limit=SHOWN_MAX)
    skips = await repository.skips_page(tx.session, PageRequest(limit=SHOWN_MAX, descending=False), run_id=run.id)
    return RunView(run, notices, skips.rows)


async def _release(tx: Transaction, run: DunningRunRow) -> None:
    run.state = RUNS.after(RunState(run.state), RunMove.RELEASE).value
    run.released_by, run.released_at = tx.actor.name, tx.now
    tx.emit(
        DunningRunReleased(
            subject_id=str(run.id),
            segment=run.segment,
            before={"state": RunState.PROPOSED.value},
            after={"state": run.state, "notices": run.notices},
        )
    )
    await _hand_on(tx, run)


async def _hand_on(tx: Transaction, run: DunningRunRow) -> bool:
    """Hands the next notices on to be sent; the run is done when none is left. Whether there may be more."""
    notices = await repository.proposed_of_run(tx.session, run.id, limit=RELEASED_A_PAGE)
    for notice in notices:
        notice.state = NOTICES.after(NoticeState(notice.state), NoticeMove.RELEASE).value
        notice.next_attempt_at = notice.changed_at = tx.now
        tx.emit(
            DunningNoticeReleased(
                subject_id=str(notice.id),
                segment=notice.segment,
                customer_id=notice.customer_id,
                before={"state": NoticeState.PROPOSED.value},
                after={"state": notice.state},
            )
        )
    await tx.session.flush()
    if notices:
        return len(notices) == RELEASED_A_PAGE
    if await repository.has_waiting(tx.session, run.id):
        return False
    run.state = RUNS.after(RunState(run.state), RunMove.FINISH).value
    run.ended_at = tx.now
    before = {"state": RunState.RELEASED.value}
    tx.emit(DunningRunDone(subject_id=str(run.id), segment=run.segment, before=before, after={"state": run.state}))
    return False


async def _find(
    tx: Transaction, run_id: UUID, *, lock: bool = False, segments: frozenset[str] | None = None
) -> DunningRunRow:
    run = await repository.run(tx.session, run_id, lock=lock)
    if run is None or (segments is not None and run.segment not in segments):
        raise DunningRunNotFound(f"there is no dunning run {run_id}")
    return run
