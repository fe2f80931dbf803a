"""Use cases of covers: put one, what they amount to on a day, and their turns when a day begins or ends one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from app.domains.credit_data.core.covers import Cover, CoverOnDay, covered_on
from app.domains.credit_data.core.events import CoverTurned
from app.domains.credit_data.core.records import Key, Kind, Origin
from app.domains.credit_data.repository import records as repository
from app.domains.credit_data.service.filing import Filing, Precondition, Request, anything, file
from app.domains.policies import service as policies
from app.domains.policies.core.factors import Independence
from app.infra.transaction import Transaction
from app.kernel.money import Money, render
from app.kernel.periods import local_day

MAX_COVERS: Final = 500
"""Covers of one account that count; more are none that anybody would look through."""


async def put_cover(
    tx: Transaction,
    *,
    customer_id: str,
    segment: str,
    cover_ref: str,
    cover: Cover,
    precondition: Precondition = anything,
) -> Filing[Cover]:
    """Makes `cover` what is known under this reference; what the account is covered by follows in the transaction.

    Raises `CustomerNotFound`, `SegmentNotFound`, `WindowReversed`, `WithdrawalUndated`, and what `precondition` raises.
    """
    cover.check()
    await policies.segment(tx, segment=segment)
    origin = Origin(valid_on=cover.valid_from, source=cover.provider, independence=Independence.AGENCY)
    key = Key(customer_id, Kind.COVER, cover_ref, segment)
    filing = await file(tx, key=key, request=Request(cover, origin), precondition=precondition)
    if filing.changed:
        await plan_turn(tx, customer_id=customer_id, segment=segment)
    return filing


async def cover_on(tx: Transaction, *, customer_id: str, segment: str) -> CoverOnDay:
    """What the customer's covers in the segment amount to today, there, and until when. Raises `SegmentNotFound`."""
    found = await _known(tx, customer_id, segment)
    return covered_on(found.values(), await policies.today(tx, segment=segment)) if found else CoverOnDay()


async def payable_today(tx: Transaction, *, customer_id: str, segment: str, cover_ref: str) -> Money | None:
    """What one cover of the customer would pay today; null where it covers nothing. Raises `SegmentNotFound`."""
    cover = (await _known(tx, customer_id, segment)).get(cover_ref)
    return cover.payable if cover is not None and cover.counts_on(await policies.today(tx, segment=segment)) else None


async def withdrawn_since(tx: Transaction, *, customer_id: str, segment: str, since: date) -> Sequence[Money]:
    """What each cover would have paid whose announced withdrawal came on or after the day `since`.

    Raises `SegmentNotFound`.
    """
    today = await policies.today(tx, segment=segment)
    found = (await _known(tx, customer_id, segment)).values()
    return [cover.payable for cover in found if cover.withdrawn_since(since, today)]


async def plan_turn(tx: Transaction, *, customer_id: str, segment: str) -> CoverOnDay:
    """Notes when the covers of an account change next by themselves, and returns what they amount to until then."""
    covered = await cover_on(tx, customer_id=customer_id, segment=segment)
    day = covered.until + timedelta(days=1) if covered.until else None
    await repository.turn_on(tx.session, customer_id, segment, day)
    return covered


async def turning_covers(tx: Transaction, *, most: int) -> Sequence[tuple[str, str]]:
    """At most `most` accounts (customer, segment) whose covers have changed by the day in the segment."""
    found: list[tuple[str, str]] = []
    for segment in await policies.list_segments(tx):
        today = local_day(tx.now, segment.zone)
        found += await repository.turned(tx.session, segment.segment, today, most=most - len(found))
    return found


async def turn_covers(tx: Transaction, *, customer_id: str, segment: str) -> None:
    """Says what the covers of an account amount to from today on."""
    covered = await plan_turn(tx, customer_id=customer_id, segment=segment)
    tx.emit(
        CoverTurned(
            subject_id=f"{customer_id}/{segment}",
            customer_id=customer_id,
            segment=segment,
            after={
                "covered": {code: render(amount, code) for code, amount in covered.by_currency.items()},
                "until": covered.until.isoformat() if covered.until else None,
            },
        )
    )


async def _known(tx: Transaction, customer_id: str, segment: str) -> Mapping[str, Cover]:
    """The customer's covers in the segment by their references."""
    found = await repository.known(
        tx.session, customer_ids=[customer_id], segment=segment, known_at=None, kinds=[Kind.COVER], most=MAX_COVERS
    )
    return {record.ref: record.content for record in found[customer_id]}
