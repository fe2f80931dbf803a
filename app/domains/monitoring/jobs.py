"""The jobs of monitoring: the hourly proof, and the gauges of the portfolio and of what waits for a person.

Gauges are computed here and never when Prometheus asks: an aggregate over all accounts is no matter of a scrape.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import structlog

from app.domains.monitoring import service as monitoring
from app.infra import metrics
from app.infra.jobs import Job, Run

LOGGED_MAX: Final = 100
"""Lines a run: the first accounts are enough to start looking, the metric counts all."""

log = structlog.get_logger("headroom.monitoring")

_BOARD: Final = metrics.Board()


async def prove_accounts(run: Run) -> None:
    """Proves every account and group, and says how many fail each proof."""
    tally, logged = monitoring.Tally(), 0
    async for proof in monitoring.prove_all(run.begin):
        tally.add(proof)
        for drift in proof.drifts[: LOGGED_MAX - logged]:
            logged += 1
            log.error(
                "account_drift",
                kind=drift.kind.value,
                customer_id=drift.customer_id,
                segment=drift.segment,
                subject=drift.subject,
                expected=drift.expected,
                found=drift.found,
            )
    for kind, count in tally.by_kind.items():
        metrics.DRIFT.labels(kind.value).set(count)


async def measure_portfolio(run: Run) -> None:
    """Exposure, overdue amounts, limits and headroom by segment, grade and currency."""
    async with run.begin() as tx:
        parts = await monitoring.portfolio(tx)
    _BOARD.show(metrics.PORTFOLIO_ACCOUNTS, {part.key: part.accounts for part in parts})
    _BOARD.show(metrics.PORTFOLIO_EXPOSURE, {part.key: float(part.exposure) for part in parts})
    _BOARD.show(metrics.PORTFOLIO_OVERDUE, {part.key: float(part.overdue) for part in parts})
    _BOARD.show(metrics.PORTFOLIO_LIMIT, {part.key: float(part.limit) for part in parts})
    _BOARD.show(metrics.PORTFOLIO_HEADROOM, {part.key: float(part.headroom) for part in parts})
    _BOARD.show(metrics.PORTFOLIO_EXCEEDED, {part.key: part.exceeded for part in parts})


async def look_at_desks(run: Run) -> None:
    """Referred orders and limit requests that wait for a decision, and segments in which nothing can be approved for
    want of a policy."""
    async with run.begin() as tx:
        now, desks = tx.now, await monitoring.desks(tx)
    _BOARD.show(metrics.REVIEWS_WAITING, {(desk.segment,): desk.reviews for desk in desks})
    _BOARD.show(metrics.REVIEWS_OLDEST_SECONDS, {(desk.segment,): _waited(desk.oldest_at, now) for desk in desks})
    _BOARD.show(metrics.LIMIT_REQUESTS_WAITING, {(desk.segment,): desk.requests for desk in desks})
    _BOARD.show(metrics.LIMIT_REQUESTS_OVERDUE, {(desk.segment,): desk.requests_overdue for desk in desks})
    active = sum(desk.has_policy for desk in desks)
    _BOARD.show(metrics.SEGMENTS, {("active",): active, ("missing",): len(desks) - active})


def _waited(since: datetime | None, now: datetime) -> float:
    return (now - since).total_seconds() if since else 0.0


JOBS: Final = (
    Job("prove_accounts", every=timedelta(hours=1), run=prove_accounts),
    Job("measure_portfolio", every=timedelta(minutes=5), run=measure_portfolio),
    Job("look_at_desks", every=timedelta(seconds=30), run=look_at_desks),
)
