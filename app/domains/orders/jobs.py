"""Jobs of orders: waiting orders are judged anew, reviews nobody decided lapse, old credit checks are deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from app.domains.orders import service as orders
from app.domains.orders.service import Waiting
from app.infra.jobs import Job, Run
from app.kernel.errors import Busy, Refusal

log = structlog.get_logger("headroom.orders")


async def lapse_reviews(run: Run) -> None:
    """Ends what nobody decided in time, one account a transaction, until nothing is due that can be ended now."""
    while True:
        async with run.begin() as tx:
            due = await orders.accounts_with_lapsing_reviews(tx)
        if not sum([await _lapse(run, *key) for key in due]):
            return


async def _lapse(run: Run, customer_id: str, segment: str) -> int:
    """How many reviews of the account lapsed; an account that others hold comes again with the next run."""
    try:
        async with run.begin() as tx:
            return await orders.lapse_reviews(tx, customer_id=customer_id, segment=segment)
    except Refusal as refusal:
        log.warning("reviews_not_lapsed", customer_id=customer_id, segment=segment, code=refusal.code)
        return 0


async def begin_day(run: Run) -> None:
    """Has all waiting orders judged anew where a day has begun: limits and policies begin and end with days."""
    async with run.begin() as tx:
        await orders.wake_for_the_day(tx)


async def judge_waiting_orders(run: Run) -> None:
    """Judges the waiting orders of every account that has more room, oldest first, one order a transaction."""
    async with run.begin() as tx:
        woken = await orders.woken_accounts(tx)
    for account in woken:
        await _judge_account(run, account)


async def _judge_account(run: Run, account: Waiting) -> None:
    """An account that others hold comes again with the next run."""
    after: UUID | None = UUID(int=0)
    try:
        while after is not None:
            async with run.begin() as tx:
                due = await orders.waiting_checks(tx, account=account, after=after)
            for check_id in due:
                await _judge_order(run, check_id)
            after = due[-1] if due else None
    except Busy as busy:
        log.warning("orders_not_judged", customer_id=account.customer_id, segment=account.segment, code=busy.code)
        return
    async with run.begin() as tx:
        await orders.settle_account(tx, account=account)


async def _judge_order(run: Run, check_id: UUID) -> None:
    """An order that can't be judged keeps waiting for its reviewer, and nobody else's back."""
    try:
        async with run.begin() as tx:
            await orders.reevaluate_waiting(tx, check_id=check_id)
    except Busy:
        raise
    except Refusal as refusal:
        log.warning("order_not_judged", check_id=str(check_id), code=refusal.code)


JOBS: Final = (
    Job("lapse_reviews", every=timedelta(minutes=5), run=lapse_reviews),
    Job("wake_orders_for_the_day", every=timedelta(minutes=1), run=begin_day),
    Job("judge_waiting_orders", every=timedelta(seconds=1), run=judge_waiting_orders),
)


def retention(keep: timedelta) -> tuple[Job, ...]:
    """The job that deletes credit checks older than `keep` whose orders are finished."""

    async def delete_old_checks(run: Run) -> None:
        """Deletes batch after batch, so that no transaction is long; says how many were spared."""
        after: UUID | None = UUID(int=0)
        deleted = spared = 0
        while after is not None:
            async with run.begin() as tx:
                swept = await orders.delete_older_checks(tx, keep=keep, after=after)
            deleted, spared, after = deleted + swept.deleted, spared + swept.spared, swept.last
        if deleted or spared:
            log.info("old_checks_deleted", deleted=deleted, spared=spared)

    return (Job("delete_old_checks", timedelta(hours=6), delete_old_checks),)
