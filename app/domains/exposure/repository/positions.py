"""Finds, locks and writes positions: accounts, groups and orders."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Text, cast, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.exposure import statements
from app.domains.exposure.core.account import Account, Group
from app.domains.exposure.core.commitments import Commitment
from app.domains.exposure.core.fx import Quote, Quotes
from app.domains.exposure.core.positions import Positions
from app.domains.exposure.core.refusals import AccountBusy
from app.domains.exposure.records import (
    Record,
    account_from,
    account_values,
    commitment_from,
    commitment_values,
    decision_values,
    group_decision_values,
    group_from,
    group_values,
    line_values,
)
from app.domains.exposure.tables import AccountRow, CommitmentRow, GroupRow, LedgerRow
from app.infra.db.bulk import WORTH_COPYING, copy_rows
from app.infra.db.failures import LOCK_NOT_AVAILABLE, sqlstate

MANY_KEYS: Final = 20
"""From so many on, keys travel as two arrays: a statement with a parameter for each is costly to prepare."""

_ROWS: Final = "cast(:rows as json)"


def _writing(statement: str) -> Any:
    return text(statement.format(rows=_ROWS, guard="true"))


_UPDATE_ACCOUNTS: Final = _writing(statements.UPDATE_ACCOUNTS)
_UPDATE_GROUPS: Final = _writing(statements.UPDATE_GROUPS)
_REDECIDE_ACCOUNTS: Final = _writing(statements.REDECIDE_ACCOUNTS)
_REDECIDE_GROUPS: Final = _writing(statements.REDECIDE_GROUPS)
_INSERT_LEDGER: Final = _writing(statements.INSERT_LEDGER)
_INSERT_COMMITMENTS: Final = _writing(statements.INSERT_COMMITMENTS)
_UPDATE_COMMITMENTS: Final = _writing(statements.UPDATE_COMMITMENTS)
_UPSERT_RUNGS: Final = _writing(statements.UPSERT_RUNGS)
_STANDING: Final = text(statements.STANDING.format(rows=_ROWS))
_LATEST_QUOTES: Final = text(statements.LATEST_QUOTES.format(on=":on"))


async def find_accounts(session: AsyncSession, keys: Collection[tuple[str, str]]) -> Sequence[Account]:
    """The accounts of `keys` (customer, segment), without locks, in no order."""
    rows = await session.execute(_accounts(keys))
    return [account_from(row) for row in rows.mappings()]


async def lock_accounts(session: AsyncSession, keys: Collection[tuple[str, str]]) -> Sequence[Account]:
    """The accounts of `keys`, locked in the order of their ids, so that two transactions never wait for each other.

    Raises `AccountBusy` when another transaction holds one of them for longer than the lock timeout.
    """
    rows = await _locked(session, _accounts(keys).order_by(AccountRow.id).with_for_update(key_share=True))
    return [account_from(row) for row in rows.mappings()]


async def lock_groups(session: AsyncSession, ids: Collection[UUID]) -> Sequence[Group]:
    """The groups, locked in the order of their ids; always after the accounts."""
    statement = (
        select(*GroupRow.__table__.c).where(GroupRow.id.in_(ids)).order_by(GroupRow.id).with_for_update(key_share=True)
    )
    rows = await _locked(session, statement)
    return [group_from(row) for row in rows.mappings()]


async def find_groups(session: AsyncSession, ids: Collection[UUID]) -> Sequence[Group]:
    """The groups, without locks, in no order."""
    rows = await session.execute(select(*GroupRow.__table__.c).where(GroupRow.id.in_(ids)))
    return [group_from(row) for row in rows.mappings()]


async def find_orders(session: AsyncSession, keys: Collection[tuple[str, str]]) -> Sequence[Commitment]:
    """The orders of `keys` (segment, reference) that exist."""
    columns = tuple_(CommitmentRow.segment, CommitmentRow.order_ref)
    rows = await session.execute(select(*CommitmentRow.__table__.c).where(columns.in_(keys)))
    return [commitment_from(row) for row in rows.mappings()]


async def expired_orders(session: AsyncSession, account_ids: Collection[UUID], now: datetime) -> Sequence[Commitment]:
    """The orders of these accounts whose reservation has run out, oldest first."""
    statement = (
        select(*CommitmentRow.__table__.c)
        .where(
            CommitmentRow.account_id.in_(account_ids), CommitmentRow.open_amount > 0, CommitmentRow.expires_at <= now
        )
        .order_by(CommitmentRow.expires_at, CommitmentRow.segment, CommitmentRow.order_ref)
    )
    rows = await session.execute(statement)
    return [commitment_from(row) for row in rows.mappings()]


async def standing(session: AsyncSession, asked: Sequence[Mapping[str, Any]]) -> Mapping[UUID, Record]:
    """The standing facts of accounts by id; each of `asked` has id, today, min_amount, aged_before, counts_until."""
    rows = await session.execute(_STANDING, {"rows": _json(asked)})
    return {row["id"]: row for row in rows.mappings()}


async def limits_in_force(
    session: AsyncSession, today: Mapping[UUID, date], *, scope: str
) -> Mapping[UUID, Sequence[Record]]:
    """The base limit that has begun last and the temporary one that covers the day, by account."""
    statement = text(statements.IN_FORCE.format(rows=_ROWS, scope="cast(:scope as text)"))
    asked = [{"id": account_id, "today": day} for account_id, day in today.items()]
    found: dict[UUID, list[Record]] = {account_id: [] for account_id in today}
    for row in (await session.execute(statement, {"rows": _json(asked), "scope": scope})).mappings():
        found[row["id"]].append(row)
    return found


async def latest_quotes(session: AsyncSession, on: date) -> Quotes:
    """The latest exchange rate of every pair on or before `on`."""
    rows = await session.execute(_LATEST_QUOTES, {"on": on})
    return {(row.base, row.quote): Quote(row.rate, row.on_date) for row in rows}


async def write_orders(session: AsyncSession, positions: Positions, now: datetime) -> None:
    """Writes the changed orders: those that were read are updated, the others are new."""
    changed, stored = sorted(positions.touched_orders), positions.stored_orders
    values = {key: commitment_values(positions.orders[key], now) for key in changed}
    await _write(session, _INSERT_COMMITMENTS, (values[key] for key in changed if key not in stored))
    await _write(session, _UPDATE_COMMITMENTS, (values[key] for key in changed if key in stored))


async def write_ledger(session: AsyncSession, positions: Positions, now: datetime) -> None:
    """Writes the lines posted and moves the rungs of the due ladders."""
    lines = line_values(positions, now)
    if len(lines) < WORTH_COPYING:
        await _write(session, _INSERT_LEDGER, lines)
    else:
        await copy_rows(session, LedgerRow.__tablename__, list(lines[0]), (list(line.values()) for line in lines))
    rungs = sorted(positions.rungs.items())
    await _write(
        session, _UPSERT_RUNGS, ({"account_id": a, "due_on": day, "amount": amount} for (a, day), amount in rungs)
    )


async def write_accounts(session: AsyncSession, positions: Positions, now: datetime) -> None:
    """Writes the changed accounts and groups, and what was decided anew about them."""
    accounts = (positions.accounts[account_id] for account_id in sorted(positions.touched_accounts))
    groups = (positions.groups[group_id] for group_id in sorted(positions.touched_groups))
    await _write(session, _UPDATE_ACCOUNTS, (account_values(account, now) for account in accounts))
    await _write(session, _UPDATE_GROUPS, (group_values(group) for group in groups))
    decided = (positions.accounts[account_id] for account_id in sorted(positions.redecided_accounts))
    decided_groups = (positions.groups[group_id] for group_id in sorted(positions.redecided_groups))
    await _write(session, _REDECIDE_ACCOUNTS, (decision_values(account) for account in decided))
    await _write(session, _REDECIDE_GROUPS, (group_decision_values(group) for group in decided_groups))


def _accounts(keys: Collection[tuple[str, str]]) -> Any:
    named: Any = keys
    if len(keys) >= MANY_KEYS:
        customer_ids, segments = (func.unnest(cast(list(part), ARRAY(Text))) for part in zip(*keys, strict=True))
        named = select(customer_ids, segments)
    return select(*AccountRow.__table__.c).where(tuple_(AccountRow.customer_id, AccountRow.segment).in_(named))


async def _locked(session: AsyncSession, statement: Any) -> Any:
    try:
        return await session.execute(statement)
    except DBAPIError as error:
        if sqlstate(error) == LOCK_NOT_AVAILABLE:
            raise AccountBusy("another transaction holds the account; try again in a moment", retry_after=1) from error
        raise


async def _write(session: AsyncSession, statement: Any, rows: Iterable[Mapping[str, Any]]) -> None:
    values = list(rows)
    if values:
        await session.execute(statement, {"rows": _json(values)})


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return orjson.dumps(rows, default=str).decode()
