"""What operations watch: notices that wait, what was never delivered, runs without an end, rates that are missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from app.domains.dunning.core.notices import RunState
from app.domains.dunning.repository import watch as repository
from app.domains.dunning.service import gathering
from app.domains.policies import service as policies
from app.domains.policies.core.refusals import PolicyMissing
from app.infra.transaction import Transaction
from app.kernel.identity import uuid7
from app.kernel.periods import local_day

DELETED_AT_ONCE: Final = 5_000
UNFINISHED: Final = (RunState.PROPOSED, RunState.RELEASED)


@dataclass(frozen=True, slots=True)
class Watch:
    """By segment: notices to be sent and since when, customers nobody reaches, unfinished runs by state; by reference
    whether a rate is missing today that some policy asks for (1) or not (0)."""

    now: datetime
    waiting: Mapping[str, tuple[int, datetime]]
    undelivered: Mapping[str, int]
    runs: Mapping[tuple[str, ...], int]
    missing_rates: Mapping[str, int]


async def look(tx: Transaction) -> Watch:
    """How dunning stands at this moment. Where nothing is, it says so: a curve that ends looks like a job that died."""
    names = [segment.segment for segment in await policies.list_segments(tx)]
    no_runs = {(name, state.value): 0 for name in names for state in UNFINISHED}
    return Watch(
        now=tx.now,
        waiting=dict.fromkeys(names, (0, tx.now)) | await repository.waiting(tx.session),
        undelivered=dict.fromkeys(names, 0) | await repository.undelivered(tx.session),
        runs=no_runs | await repository.runs(tx.session),
        missing_rates=await _missing_rates(tx),
    )


async def delete_skips(tx: Transaction, *, keep: timedelta, batch: int = DELETED_AT_ONCE) -> int:
    """Deletes the next reasons for being left out of runs older than `keep`; how many. The runs keep their counts."""
    return await repository.delete_skips(tx.session, before=uuid7(tx.now - keep, 0), most=batch)


async def _missing_rates(tx: Transaction) -> Mapping[str, int]:
    """Of the reference rates that the active policies ask for, which are not known today."""
    law = await gathering.law(tx)
    found: dict[str, int] = {}
    for segment in await policies.list_segments(tx):
        try:
            document = (await policies.active(tx, segment=segment.segment)).document
        except PolicyMissing:
            continue  # an alert of its own
        on = local_day(tx.now, segment.zone)
        overrides = await policies.patches_in_force(tx, segment=segment.segment)
        for jurisdiction in _jurisdictions(document, *(document.get("profiles") or {}).values(), *overrides):
            if (rule := law.rules.get(jurisdiction)) is not None:
                missing = law.row_on(rule, on) is None
                found[rule.reference] = max(found.get(rule.reference, 0), int(missing))
    return found


def _jurisdictions(*parts: Mapping[str, Any]) -> Iterator[str]:
    """The jurisdictions whose interest a policy, its profiles and overrides charge."""
    for part in parts:
        for level in (part.get("dunning") or {}).get("levels") or ():
            if level.get("interest") == "statutory" and level.get("jurisdiction"):
                yield level["jurisdiction"]
