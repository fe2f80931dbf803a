"""Use cases of statutory rates: the law as it comes with the program, and what was entered since."""

from __future__ import annotations

from app.domains.dunning.adapters import statutes
from app.domains.dunning.core.events import StatutoryRateEntered
from app.domains.dunning.core.interest import ReferenceRate, Statutes
from app.domains.dunning.core.refusals import StatutoryReferenceNotFound
from app.domains.dunning.repository import cases as repository
from app.domains.dunning.service import gathering
from app.domains.dunning.tables import StatutoryRateRow
from app.infra.transaction import Transaction


async def law(tx: Transaction) -> Statutes:
    """All rules and all rates that are known."""
    return await gathering.law(tx)


async def enter(tx: Transaction, *, rate: ReferenceRate) -> bool:
    """Adds a reference rate, or replaces the one of the same day; whether anything has changed.

    Notices keep the rates they used. Raises `StatutoryReferenceNotFound`.
    """
    if rate.reference not in statutes.packaged().rates:
        known = ", ".join(sorted(statutes.packaged().rates))
        raise StatutoryReferenceNotFound(f"the references are {known}")
    row = await repository.rate(tx.session, rate.reference, rate.valid_from)
    before = {} if row is None else {"percent": str(row.percent), "source": row.source}
    if row is not None and (row.percent, row.source) == (rate.percent, rate.source):
        return False
    if row is None:
        row = StatutoryRateRow(reference=rate.reference, valid_from=rate.valid_from)
        tx.session.add(row)
    row.percent, row.source, row.entered_by, row.entered_at = rate.percent, rate.source, tx.actor.name, tx.now
    await tx.session.flush()
    after = {"valid_from": rate.valid_from.isoformat(), "percent": str(rate.percent), "source": rate.source}
    tx.emit(StatutoryRateEntered(subject_id=f"{rate.reference} {rate.valid_from}", before=before, after=after))
    return True
