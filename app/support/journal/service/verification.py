"""Verifying the journal: in stretches, each as it was at one instant, so that no request is long."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final

from app.infra.transaction import Transaction
from app.support.journal.core.encoding import Block
from app.support.journal.core.verification import (
    Finding,
    Place,
    Published,
    Tampering,
    Verifier,
    beginnings,
    compare,
    not_there,
)
from app.support.journal.repository import blocks as rows

EVENTS_A_STRETCH: Final = 5_000
BLOCKS_A_STRETCH: Final = 1_000
PLACES_A_READ: Final = 500
"""Events hashed at a time; others are served in between."""
DIGESTS_A_READ: Final = 10_000

Begin = Callable[[], AbstractAsyncContextManager[Transaction]]
"""Begins a transaction."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was verified in one snapshot. `next_after` is the block to go on behind; null at the end of the journal."""

    first_block: int | None
    last: Block | None
    blocks: int
    events: int
    findings: Sequence[Finding]
    next_after: int | None


async def verify(
    tx: Transaction,
    *,
    after: int = 0,
    events: int = EVENTS_A_STRETCH,
    blocks: int = BLOCKS_A_STRETCH,
    looks_behind: bool = True,
) -> Stretch:
    """Verifies the next blocks behind the number `after`, until about `events` events have been read.

    The transaction must be fresh; it can't write any more. At the end every event is asked for its place, unless
    `looks_behind` is false: whoever comes again and again does that bit by bit.
    """
    await rows.take_snapshot(tx.session)
    chain = await rows.list_blocks(tx.session, after=after, limit=blocks + 1)
    verifier = Verifier(beginnings(await rows.deletions(tx.session)), await rows.find_block(tx.session, after))
    taken = 0
    for block in chain[:blocks]:
        verifier.take(block, await _places(tx, block))
        taken += 1
        if verifier.events >= events:
            break
    ended = taken == len(chain)
    if ended:
        await _look_at_the_end(tx, verifier, looks_behind=looks_behind)
    return Stretch(
        first_block=chain[0].number if chain else None,
        last=verifier.previous,
        blocks=taken,
        events=verifier.events,
        findings=verifier.findings(),
        next_after=None if ended else chain[taken - 1].number,
    )


async def verify_all(begin: Begin) -> AsyncIterator[Stretch]:
    """Verifies everything, a stretch a transaction; what is held in memory does not grow with the journal."""
    after: int | None = 0
    while after is not None:
        async with begin() as tx:
            stretch = await verify(tx, after=after)
        yield stretch
        after = stretch.next_after


async def compare_published(tx: Transaction, *, published: Sequence[Published]) -> list[Finding]:
    """The blocks that are there against digests that were published outside the database."""
    await rows.take_snapshot(tx.session)
    known: dict[int, bytes] = {}
    while found := await rows.digests(tx.session, after=max(known, default=0), batch=DIGESTS_A_READ):
        known |= found
    return compare(published, known)


async def list_blocks(tx: Transaction, *, after: int, limit: int) -> Sequence[Block]:
    """The next blocks behind the number `after`."""
    return await rows.list_blocks(tx.session, after=after, limit=limit)


async def export(begin: Begin) -> AsyncIterator[tuple[Block, Sequence[Place]]]:
    """Every block with its events, each block as it was at one instant."""
    after = 0
    while True:
        async with begin() as tx:
            await rows.take_snapshot(tx.session)
            chain = await rows.list_blocks(tx.session, after=after, limit=1)
            if not chain:
                return
            places = await _places(tx, chain[0])
        yield chain[0], places
        after = chain[0].number


async def _places(tx: Transaction, block: Block) -> list[Place]:
    found: list[Place] = []
    after = block.first_seq - 1
    while batch := await rows.places(tx.session, after=after, until=block.last_seq, batch=PLACES_A_READ):
        found += batch
        after = batch[-1].seq
    return found


async def _look_at_the_end(tx: Transaction, verifier: Verifier, *, looks_behind: bool) -> None:
    """What no block can tell: places and events behind the last one, and places that were given and are gone."""
    last = verifier.previous.last_seq if verifier.previous else 0
    given = await rows.places_given(tx.session)
    if given > last:
        verifier.note(Tampering.TRUNCATED, f"{given} places were given, and the journal ends with {last}")
    for seq in await rows.outside_blocks(tx.session):
        verifier.note(Tampering.INSERTED, "a place outside any block", seq=seq)
    for event_id in await rows.behind_the_sealer(tx.session) if looks_behind else ():
        verifier.note(Tampering.INSERTED, not_there(event_id))
