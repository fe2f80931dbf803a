"""What higher slices say about a customer's risk, kept on the account so that a check reads it without asking them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from app.domains.exposure.core.account import Account, Profile
from app.domains.exposure.core.events import RiskNoted
from app.domains.exposure.core.fx import rate_between
from app.domains.exposure.core.refusals import FxRateMissing
from app.domains.exposure.service.positions import known_accounts, lock, quotes, save
from app.domains.policies import service as policies
from app.infra.transaction import Transaction
from app.kernel.errors import Fault
from app.kernel.money import MAX_AMOUNT, ZERO, AmountOutOfRange, rounded
from app.kernel.periods import local_day


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
    await note_risks(tx, facts={(customer_id, segment): facts})


async def note_risks(tx: Transaction, *, facts: Mapping[tuple[str, str], RiskFacts]) -> None:
    """Notes facts on many accounts, by customer and segment, as `note_risk` does on one."""
    positions = await lock(tx, keys=facts.keys())
    changed = []
    for key, news in facts.items():
        account = positions.of(*key)
        profile = replace(account.profile, **news)
        if profile != account.profile:
            positions.redecide(replace(account, profile=profile))
            changed.append((account, profile))
    if changed:
        await save(tx, positions=positions)
    for account, profile in changed:
        tx.emit(_noted(account, profile))


async def note_cover(
    tx: Transaction, *, customer_id: str, segment: str, by_currency: Mapping[str, Decimal], until: date | None
) -> None:
    """Notes what covers an account, by currency, up to and including the day `until` (null: without end).

    It is converted at today's rates; what there is no account for is not noted. Raises `FxRateMissing` when a currency
    has no rate into the account's, `AmountOutOfRange`, `AccountBusy`.
    """
    found = (await known_accounts(tx, keys=[(customer_id, segment)])).get((customer_id, segment))
    if found is None:
        return
    foreign = any(currency != found.currency for currency in by_currency)
    today = local_day(tx.now, (await policies.segment(tx, segment=segment)).zone)
    rates = await quotes(tx, on=today) if foreign else {}
    total = ZERO
    for currency, amount in by_currency.items():
        rate = rate_between(rates, currency, found.currency)
        if rate is None:
            what = f"no rate leads from {currency} to {found.currency} on or before {today}"
            raise FxRateMissing(what, faults=[Fault("/currency", FxRateMissing.code, what)])
        total += rounded(amount * rate, found.currency)
    if total > MAX_AMOUNT:
        what = f"the covers are beyond {MAX_AMOUNT} {found.currency}"
        raise AmountOutOfRange(what, faults=[Fault("/amount", AmountOutOfRange.code, what)])
    covered = total if by_currency else None
    await note_risk(tx, customer_id=customer_id, segment=segment, cover_amount=covered, cover_until=until)


def _noted(account: Account, profile: Profile) -> RiskNoted:
    before, after = _told(account.profile), _told(profile)
    changed = sorted(name for name in after if before[name] != after[name])
    return RiskNoted(
        subject_id=str(account.id),
        customer_id=account.customer_id,
        segment=account.segment,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )


def _told(profile: Profile) -> dict[str, Any]:
    facts = asdict(profile)
    return {name: value if value is None or isinstance(value, int) else str(value) for name, value in facts.items()}
