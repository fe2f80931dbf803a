"""What higher slices say about a customer's risk, kept on the account so that a check reads it without asking them."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from app.domains.exposure.core.account import Profile
from app.domains.exposure.core.events import RiskNoted
from app.domains.exposure.service.positions import lock, save
from app.infra.transaction import Transaction


class RiskFacts(TypedDict, total=False):
    """The facts of `Profile`; what is left out stays as it is. `cover_amount` is in the account's currency."""

    dunning_level: int
    payment_index: Decimal | None
    grade: str | None
    assessed_on: date | None
    cover_amount: Decimal | None
    cover_until: date | None


async def note_risk(tx: Transaction, *, customer_id: str, segment: str, **facts: Unpack[RiskFacts]) -> None:
    """Notes `facts` on the account; the same again changes nothing.

    Raises `AccountNotFound`, `AccountBusy`.
    """
    positions = await lock(tx, keys=[(customer_id, segment)])
    account = positions.of(customer_id, segment)
    profile = replace(account.profile, **facts)
    if profile == account.profile:
        return
    positions.redecide(replace(account, profile=profile))
    await save(tx, positions=positions)
    before, after = _told(account.profile), _told(profile)
    changed = {name for name in after if before[name] != after[name]}
    tx.emit(
        RiskNoted(
            subject_id=str(account.id),
            customer_id=customer_id,
            segment=segment,
            before={name: before[name] for name in sorted(changed)},
            after={name: after[name] for name in sorted(changed)},
        )
    )


def _told(profile: Profile) -> dict[str, Any]:
    facts = asdict(profile)
    return {name: value if value is None or isinstance(value, int) else str(value) for name, value in facts.items()}
