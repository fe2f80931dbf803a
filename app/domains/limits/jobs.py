"""Jobs of limits: requests nobody decides go to the next level or expire; limits that end and reviews are announced."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

import structlog

from app.domains.limits import service as limits
from app.domains.policies import service as policies
from app.infra.jobs import Job, Run
from app.infra.transaction import Transaction
from app.kernel.errors import Refusal

log = structlog.get_logger("headroom.limits")


async def escalate_requests(run: Run) -> None:
    """Hands on what nobody decided in time, one request a transaction."""
    await _each(run, limits.overdue_steps, limits.escalate, failed="request_not_escalated")


async def expire_requests(run: Run) -> None:
    """Ends what nobody decided in time, one request a transaction."""
    await _each(run, limits.expired_requests, limits.expire, failed="request_not_expired")


async def announce_endings(run: Run) -> None:
    """Tells of limits that end soon or have ended, and of reviews whose day is near, a batch a transaction."""
    async with run.begin() as tx:
        segments = [segment.segment for segment in await policies.list_segments(tx)]
    for segment in segments:
        try:
            await _announce(run, segment)
        except Refusal as refusal:
            log.warning("endings_not_announced", segment=segment, code=refusal.code)


async def _announce(run: Run, segment: str) -> None:
    after: UUID | None = UUID(int=0)
    while after is not None:
        async with run.begin() as tx:
            after = await limits.announce_endings(tx, segment=segment, after=after)
    told = 1
    while told:
        async with run.begin() as tx:
            told = await limits.announce_reviews(tx, segment=segment)


async def _each(
    run: Run,
    due: Callable[[Transaction], Awaitable[Sequence[UUID]]],
    act: Callable[..., Awaitable[bool]],
    *,
    failed: str,
) -> None:
    """Acts on everything that is due, until nothing is left that can be acted on now."""
    while True:
        async with run.begin() as tx:
            found = await due(tx)
        if not any([await _alone(run, partial(act, request_id=each), each, failed) for each in found]):
            return


async def _alone(run: Run, act: Callable[[Transaction], Awaitable[bool]], request_id: UUID, failed: str) -> bool:
    try:
        async with run.begin() as tx:
            return await act(tx)
    except Refusal as refusal:
        log.warning(failed, request_id=str(request_id), code=refusal.code)
        return False


JOBS: Final = (
    Job("escalate_limit_requests", every=timedelta(minutes=1), run=escalate_requests),
    Job("expire_limit_requests", every=timedelta(minutes=5), run=expire_requests),
    Job("announce_limit_endings", every=timedelta(minutes=30), run=announce_endings),
)
