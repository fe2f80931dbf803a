"""Runs that begin by themselves, as each segment's policy says."""

from __future__ import annotations

from app.domains.dunning.repository import notices as repository
from app.domains.dunning.service import runs
from app.domains.policies import service as policies
from app.domains.policies.core.document import Policy, parse
from app.domains.policies.core.dunning import WEEK
from app.infra.transaction import Transaction


async def begin_if_due(tx: Transaction, *, segment: str) -> bool:
    """Begins today's run of a segment if its schedule asks for one and there is none; whether it did.

    What was missed on earlier days is not made up for: today's run finds every item at the level that is due today.
    """
    document = (await policies.active(tx, segment=segment)).document
    policy: Policy = parse(document)
    schedule = policy.dunning.schedule if policy.dunning else None
    if schedule is None:
        return False
    local = tx.now.astimezone((await policies.segment(tx, segment=segment)).zone)
    if local.hour < schedule.hour or WEEK[local.weekday()] not in schedule.weekdays:
        return False
    await repository.lock_segment(tx.session, segment)
    if await repository.scheduled_run(tx.session, segment, local.date()) is not None:
        return False
    await runs.propose(tx, segment=segment, origin="schedule", release_when_complete=schedule.release, pages=1)
    return True
