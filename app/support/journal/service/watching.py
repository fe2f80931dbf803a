"""Watching the journal: verifying it again and again, a bounded stretch at a time.

What is new is verified within a minute; what is old, round by round from the beginning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from app.support.journal.core.verification import Finding, Published, Tampering, compare, not_there
from app.support.journal.repository import blocks as rows
from app.support.journal.repository import sealing
from app.support.journal.service.verification import Begin, verify

NEW_STRETCHES: Final = 20
"""Stretches of new blocks at a look: 100,000 events, some seconds of work."""
EVENTS_ASKED: Final = 20_000
"""Events that are asked for their place at a look."""


@dataclass(slots=True)
class Watch:
    """How far a watch has come, and what it has found in this round and in the one before."""

    new: int | None = None
    """The last block that was verified as a new one."""
    swept: int | None = 0
    """The last block of the round; null once it has come to the end."""
    asked: int | None = 0
    """The last event of the round that was asked for its place; null once it has come to the end."""
    found: set[Finding] = field(default_factory=set)
    found_before: set[Finding] = field(default_factory=set)

    @property
    def findings(self) -> frozenset[Finding]:
        """What is wrong, as far as is known: forgotten after a whole round in which it was not found again."""
        return frozenset(self.found | self.found_before)


async def look(begin: Begin, watch: Watch, *, published: Sequence[Published] = ()) -> Sequence[Finding]:
    """Looks at what is new, at the next stretch of the round, and at `published`; what was not known to be wrong yet.

    Each stretch has a snapshot of its own.
    """
    known = watch.findings
    found = [*await _new(begin, watch), *await _round(begin, watch), *await _unplaced(begin, watch)]
    found += await _compared(begin, published)
    watch.found |= set(found)
    if watch.swept is None and watch.asked is None:
        watch.swept, watch.asked = 0, 0
        watch.found_before, watch.found = watch.found, set()
    return [finding for finding in dict.fromkeys(found) if finding not in known]


async def _new(begin: Begin, watch: Watch) -> list[Finding]:
    """Whoever begins to watch begins with the last block: what is before it is the round's."""
    if watch.new is None:
        async with begin() as tx:
            last = await sealing.last_block(tx.session)
        watch.new = last.number - 1 if last else 0
    found: list[Finding] = []
    for _ in range(NEW_STRETCHES):
        async with begin() as tx:
            stretch = await verify(tx, after=watch.new, looks_behind=False)
        found += stretch.findings
        watch.new = stretch.last.number if stretch.last else watch.new
        if stretch.next_after is None:
            break
    return found


async def _round(begin: Begin, watch: Watch) -> Sequence[Finding]:
    if watch.swept is None:
        return ()
    async with begin() as tx:
        stretch = await verify(tx, after=watch.swept, looks_behind=False)
    watch.swept = stretch.next_after
    return stretch.findings


async def _unplaced(begin: Begin, watch: Watch) -> list[Finding]:
    """Events that the sealer has passed by: among the newest, and among the next of the round."""
    async with begin() as tx:
        await rows.take_snapshot(tx.session)
        newest = await rows.newest_but(tx.session, EVENTS_ASKED)
        ids, _ = await rows.passed_by(tx.session, after=newest, batch=EVENTS_ASKED)
        found = set(ids)
        if watch.asked is not None:
            ids, watch.asked = await rows.passed_by(tx.session, after=watch.asked, batch=EVENTS_ASKED)
            found |= set(ids)
    return [Finding(Tampering.INSERTED, None, None, not_there(event_id)) for event_id in sorted(found)]


async def _compared(begin: Begin, published: Sequence[Published]) -> list[Finding]:
    if not published:
        return []
    async with begin() as tx:
        known = await rows.digests_of(tx.session, sorted({line.block for line in published}))
    return compare(published, known)
