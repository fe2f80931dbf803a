"""Reads what the proofs find, across the tables of all slices; nothing here writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.monitoring import statements
from app.domains.monitoring.core.drift import Drift, DriftKind
from app.kernel.money import DIGITS

_UNUSUAL: Final = sorted((currency, digits) for currency, digits in DIGITS.items() if digits != 2)


async def take_snapshot(session: AsyncSession) -> None:
    """Makes everything that the session's transaction reads from here on one instant's. Call it first."""
    await session.execute(text(statements.SNAPSHOT))
    await session.execute(text(statements.PATIENCE))


async def next_accounts(session: AsyncSession, *, after: UUID, batch: int) -> Sequence[UUID]:
    """The ids of the next accounts behind `after`."""
    return list(await session.scalars(text(statements.NEXT_ACCOUNTS), {"after": after, "batch": batch}))


async def next_groups(session: AsyncSession, *, after: UUID, batch: int) -> Sequence[UUID]:
    """The ids of the next groups behind `after`."""
    return list(await session.scalars(text(statements.NEXT_GROUPS), {"after": after, "batch": batch}))


async def drifts_of_accounts(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[Drift]:
    """What does not agree in these accounts, at most one of each kind an account."""
    found: list[Drift] = []
    for proof in statements.ACCOUNT_PROOFS:
        known = {
            "ids": ids,
            "currencies": [currency for currency, _ in _UNUSUAL],
            "digits": [digits for _, digits in _UNUSUAL],
        }
        found += await _run(session, proof, **{name: value for name, value in known.items() if f":{name}" in proof})
    return found


async def drifts_of_groups(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[Drift]:
    """The groups whose totals are not those of their members, one currency each."""
    return await _run(session, statements.GROUP_TOTALS, ids=ids)


async def _run(session: AsyncSession, proof: str, **values: Any) -> Sequence[Drift]:
    statement = text(proof).bindparams(bindparam("ids", type_=ARRAY(PgUUID(as_uuid=True))))
    rows = (await session.execute(statement, values)).mappings()
    return [Drift(**{**row, "kind": DriftKind(row["kind"])}) for row in rows]
