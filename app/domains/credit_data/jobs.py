"""Jobs of credit data: covers that begin or end with a day, and reports that are ordered from an agency."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog

from app.domains.credit_data import service as credit_data
from app.domains.credit_data.adapters import CreditSource, SourceUnavailable, SourceUnusable
from app.domains.credit_data.core.orders import ReportOrder
from app.infra.jobs import Job, Run
from app.kernel.errors import Refusal

BATCH: Final = 500
ORDERS: Final = 50
"""Orders looked up at once; an agency is asked for one report after another."""

log = structlog.get_logger("headroom.credit_data")


async def turn_covers(run: Run) -> None:
    """Says what covers amount to where a day has changed it, one account a transaction, until none is left that can be
    turned now."""
    while True:
        async with run.begin() as tx:
            due = await credit_data.turning_covers(tx, most=BATCH)
        if not sum([await _turn(run, *key) for key in due]):
            return


async def _turn(run: Run, customer_id: str, segment: str) -> int:
    """1 when it is done; an account that others hold, or whose currency has no rate, comes again with the next run."""
    try:
        async with run.begin() as tx:
            await credit_data.turn_covers(tx, customer_id=customer_id, segment=segment)
    except Refusal as refusal:
        log.warning("covers_not_turned", customer_id=customer_id, segment=segment, code=refusal.code)
        return 0
    return 1


JOBS: Final = (Job("turn_covers", every=timedelta(minutes=5), run=turn_covers),)


def fetching(source: CreditSource) -> tuple[Job, ...]:
    """The job that asks `source` for the reports that are ordered from it."""

    async def fetch_reports(run: Run) -> None:
        """One report after another, until no order is left whose time has come."""
        while True:
            async with run.begin() as tx:
                due = await credit_data.due_report_orders(tx, agency=source.agency, most=ORDERS)
            for order in due:
                await _fetch(run, source, order)
            if not due:
                return

    return (Job("fetch_credit_reports", every=timedelta(seconds=30), run=fetch_reports),)


async def _fetch(run: Run, source: CreditSource, order: ReportOrder) -> None:
    """One attempt: the agency is asked between two transactions."""
    async with run.begin() as tx:
        inquiry = await credit_data.begin_attempt(tx, order_id=order.id)
    if inquiry is None:
        return
    try:
        report = await source.fetch(inquiry)
        async with run.begin() as tx:
            await credit_data.deliver(tx, order_id=order.id, report=report)
    except SourceUnavailable as error:
        await _fail(run, order, str(error), for_good=False)
    except (SourceUnusable, Refusal) as error:
        await _fail(run, order, str(error), for_good=True)


async def _fail(run: Run, order: ReportOrder, failure: str, *, for_good: bool) -> None:
    log.warning("credit_report_not_fetched", customer_id=order.customer_id, agency=order.agency, reason=failure)
    async with run.begin() as tx:
        await credit_data.fail_attempt(tx, order_id=order.id, failure=failure, for_good=for_good)
