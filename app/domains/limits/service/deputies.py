"""Deputies: appoint, end, list; whose key is revoked has none and is none."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date
from uuid import UUID

from app.domains.limits.core.deputies import Deputyship, check_appointment, check_ending
from app.domains.limits.core.events import DeputyAppointed, DeputyDismissed
from app.domains.limits.core.refusals import DeputyNotFound
from app.domains.limits.repository import deputies as repository
from app.domains.policies import service as policies
from app.domains.policies.core.document import parse
from app.domains.policies.core.four_eyes import require_person
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction
from app.support.auth.core.events import ApiKeyRevoked
from app.support.auth.core.principals import KEY_PREFIX, Principal


async def appoint(
    tx: Transaction,
    *,
    caller: Principal,
    segment: str,
    deputy: str,
    valid_until: date,
    reason: str,
    valid_from: date | None = None,
) -> Deputyship:
    """Lets `deputy` (a name) decide in the caller's place, with the roles and the authority that the caller has now.

    Raises `PersonRequired`, `SegmentNotFound`, `PolicyMissing`, `DeputyImpossible`.
    """
    require_person(tx.actor)
    today = await policies.today(tx, segment=segment)
    policy = parse((await policies.active(tx, segment=segment)).document)
    starts = valid_from or today
    most_days = policy.approvals.deputy_max_days
    check_appointment(
        principal=caller.name, deputy=deputy, starts=starts, ends=valid_until, on=today, most_days=most_days
    )
    made = Deputyship(
        id=tx.new_id(),
        segment=segment,
        principal=caller.id,
        principal_name=caller.name,
        deputy=deputy,
        roles=caller.roles,
        authority=caller.authority,
        valid_from=starts,
        valid_until=valid_until,
        reason=reason,
        appointed_at=tx.now,
    )
    await repository.add(tx.session, made)
    tx.emit(
        DeputyAppointed(
            subject_id=str(made.id),
            segment=segment,
            after={
                "principal": made.principal_name,
                "deputy": deputy,
                "roles": sorted(made.roles),
                "authority": str(made.authority) if made.authority else None,
                "valid_from": starts.isoformat(),
                "valid_until": valid_until.isoformat(),
                "reason": reason,
            },
        )
    )
    return made


async def dismiss(tx: Transaction, *, deputy_id: UUID, caller: Principal) -> Deputyship:
    """Ends a deputyship now. Raises `DeputyNotFound`, `DeputyNotYours`, `DeputyEnded`."""
    found = await repository.lock(tx.session, deputy_id)
    if found is None or not caller.sees(found.segment):
        raise DeputyNotFound(f"there is no deputyship {deputy_id}")
    check_ending(found, name=caller.name)
    return await _end(tx, found, because="dismissed")


async def end_with_key(tx: Transaction, event: ApiKeyRevoked) -> None:
    """Ends the deputyships of whoever's key was revoked: nobody stands in for them, and they stand in for nobody.

    A later key of the same name is another person as far as anybody knows.
    """
    principal, name = f"{KEY_PREFIX}{event.subject_id}", str(event.before["name"])
    for found in await repository.binding(tx.session, principal=principal, name=name):
        await _end(tx, found, because="key_revoked")


async def _end(tx: Transaction, found: Deputyship, *, because: str) -> Deputyship:
    await repository.end(tx.session, found.id, by=tx.actor.name, now=tx.now)
    tx.emit(
        DeputyDismissed(
            subject_id=str(found.id),
            segment=found.segment,
            before={"principal": found.principal_name, "deputy": found.deputy},
            after={"ended_at": tx.now.isoformat(), "because": because},
        )
    )
    return replace(found, ended_at=tx.now, ended_by=tx.actor.name)


async def list_deputies(
    tx: Transaction, *, page: PageRequest, segments: Collection[str] | None = None
) -> Slice[Deputyship]:
    """Deputyships in the order in which they were made, ended ones included."""
    return await repository.list_page(tx.session, page, segments=segments)
