"""Use cases of statutory rates: the law as it comes with the program, and what was entered since."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from app.domains.dunning.adapters import statutes
from app.domains.dunning.core.events import StatutoryRateEntered
from app.domains.dunning.core.interest import Statutes
from app.domains.dunning.core.refusals import StatutoryReferenceNotFound
from app.domains.dunning.repository import cases as repository
from app.domains.dunning.service import gathering
from app.domains.dunning.tables import StatutoryRateRow
from app.infra.transaction import Transaction


async def law(tx: Transaction) -> Statutes:
    """All rules and all rates that are known."""
    return await gathering.law(tx)


async def enter(tx: Transaction, *, reference: str, valid_from: date, percent: Decimal) -> bool:
    """Adds a reference rate, or replaces the one of the same day; whether anything has changed.

    Notices keep the rates they used. Raises `StatutoryReferenceNotFound`.
    """
    if reference not in statutes.packaged().rates:
        known = ", ".join(sorted(statutes.packaged().rates))
        raise StatutoryReferenceNotFound(f"the references are {known}")
    row = await repository.rate(tx.session, reference, valid_from)
    if row is not None and row.percent == percent:
        return False
    before = {} if row is None else {"percent": str(row.percent)}
    if row is None:
        row = StatutoryRateRow(reference=reference, valid_from=valid_from, percent=percent)
        tx.session.add(row)
    row.percent, row.entered_by, row.entered_at = percent, tx.actor.name, tx.now
    await tx.session.flush()
    after = {"valid_from": valid_from.isoformat(), "percent": str(percent)}
    tx.emit(StatutoryRateEntered(subject_id=f"{reference} {valid_from}", before=before, after=after))
    return True
