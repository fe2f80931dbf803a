"""Holds: a set of reasons to stop an account, one a source; each source lifts only its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from app.domains.exposure.core.account import Account
from app.domains.exposure.core.events import HoldLifted, HoldSet
from app.domains.exposure.core.holds import Hold, HoldKind, strongest
from app.domains.exposure.core.positions import Positions
from app.domains.exposure.core.refusals import HoldNotFound
from app.domains.exposure.repository import decisions
from app.domains.exposure.service.positions import known_accounts, lock, save
from app.infra.transaction import Transaction


async def set_hold(
    tx: Transaction, *, customer_id: str, segment: str, source: str, kind: HoldKind, reason: str
) -> None:
    """Stops an account on behalf of `source`, in place of the hold this source may have set before.

    Raises `AccountNotFound`, `AccountBusy`.
    """
    assert kind is not HoldKind.NONE, "a hold is soft or forced; none is what lifting leaves"
    positions = await lock(tx, keys=[(customer_id, segment)])
    account = positions.of(customer_id, segment)
    before = await _of_source(tx, account, source)
    if before is not None:
        await _lift(tx, account, source, reason=reason)
    hold = Hold(source, kind, reason, tx.actor.name, tx.now)
    await decisions.add_hold(tx.session, hold_id=tx.new_id(), account_id=account.id, hold=hold)
    await _recount(tx, positions, account)
    tx.emit(HoldSet(**_subject(account), before=_told(before, source), after=_told(hold, source)))


async def keep_hold(
    tx: Transaction, *, customer_id: str, segment: str, source: str, kind: HoldKind, reason: str
) -> None:
    """Makes the hold of `source` one of this kind, or lifts it for the kind none; the same again changes nothing.

    Where there is no account there is nothing to hold. Raises `AccountBusy`.
    """
    found = (await known_accounts(tx, keys=[(customer_id, segment)])).get((customer_id, segment))
    if found is None:
        return
    before = await _of_source(tx, found, source)
    if (before.kind if before else HoldKind.NONE) is kind:
        return
    if kind is HoldKind.NONE:
        await lift_hold(tx, customer_id=customer_id, segment=segment, source=source, reason=reason)
    else:
        await set_hold(tx, customer_id=customer_id, segment=segment, source=source, kind=kind, reason=reason)


async def lift_hold(tx: Transaction, *, customer_id: str, segment: str, source: str, reason: str) -> None:
    """Lifts the hold of `source`; those of others stay.

    Raises `HoldNotFound` when it has none, `AccountNotFound`, `AccountBusy`.
    """
    positions = await lock(tx, keys=[(customer_id, segment)])
    account = positions.of(customer_id, segment)
    before = await _of_source(tx, account, source)
    if before is None:
        raise HoldNotFound(f"{customer_id} has no hold of source {source} in segment {segment}")
    await _lift(tx, account, source, reason=reason)
    await _recount(tx, positions, account)
    after = {**_told(None, source), "reason": reason}
    tx.emit(HoldLifted(**_subject(account), before=_told(before, source), after=after))


async def is_held(tx: Transaction, *, account_id: UUID, source: str) -> bool:
    """Whether `source` holds the account."""
    return any(hold.source == source for hold in (await decisions.holds(tx.session, [account_id]))[account_id])


async def _of_source(tx: Transaction, account: Account, source: str) -> Hold | None:
    held = (await decisions.holds(tx.session, [account.id]))[account.id]
    return next((hold for hold in held if hold.source == source), None)


async def _lift(tx: Transaction, account: Account, source: str, *, reason: str) -> None:
    await decisions.lift_hold(
        tx.session, account_id=account.id, source=source, reason=reason, lifted_by=tx.actor.name, now=tx.now
    )


async def _recount(tx: Transaction, positions: Positions, account: Account) -> None:
    """Gives the account the strongest hold that is set now."""
    held = (await decisions.holds(tx.session, [account.id]))[account.id]
    positions.redecide(replace(account, hold=strongest(hold.kind for hold in held)))
    await save(tx, positions=positions)


def _subject(account: Account) -> dict[str, Any]:
    return {"subject_id": str(account.id), "customer_id": account.customer_id, "segment": account.segment}


def _told(hold: Hold | None, source: str) -> dict[str, Any]:
    if hold is None:
        return {"source": source, "kind": HoldKind.NONE.value}
    return {"source": source, "kind": hold.kind.value, "reason": hold.reason}
