"""Use cases of monitoring: proving that what is stored twice says the same, and summing up. Nothing is repaired."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from app.domains.monitoring.core.drift import Drift, DriftKind
from app.domains.monitoring.core.portfolio import PortfolioPart, SegmentDesk
from app.domains.monitoring.repository import proofs as repository
from app.infra.transaction import Transaction

ACCOUNTS_A_BATCH: Final = 500
GROUPS_A_BATCH: Final = 50
"""Groups may have many members; the totals of this many are summed in one snapshot."""

_BEGINNING: Final = UUID(int=0)

Begin = Callable[[], AbstractAsyncContextManager[Transaction]]
"""Begins a transaction."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proved in one snapshot: how many accounts or groups, and what did not agree.

    `last` is the id to go on behind; null at the end.
    """

    accounts: int = 0
    groups: int = 0
    drifts: Sequence[Drift] = ()
    last: UUID | None = None


@dataclass(slots=True)
class Tally:
    """How much was proved, and how many accounts fail each proof."""

    accounts: int = 0
    groups: int = 0
    failing: Counter[DriftKind] = field(default_factory=Counter)

    def add(self, proof: Proof) -> None:
        """Counts one proof in. Batches share no account, and no account has two drifts of a kind."""
        self.accounts += proof.accounts
        self.groups += proof.groups
        self.failing.update(drift.kind for drift in proof.drifts)

    @property
    def by_kind(self) -> Mapping[DriftKind, int]:
        """The accounts that fail each proof, those that none fails included."""
        return {kind: self.failing[kind] for kind in DriftKind}


async def prove_accounts(tx: Transaction, *, after: UUID, batch: int = ACCOUNTS_A_BATCH) -> Proof:
    """Proves the next accounts behind the id `after`, all at one instant: totals = ledger = documents.

    The transaction must be fresh; it can't write any more.
    """
    await repository.take_snapshot(tx.session)
    ids = await repository.next_accounts(tx.session, after=after, batch=batch)
    drifts = await repository.drifts_of_accounts(tx.session, ids) if ids else ()
    return Proof(accounts=len(ids), drifts=drifts, last=ids[-1] if len(ids) == batch else None)


async def prove_groups(tx: Transaction, *, after: UUID, batch: int = GROUPS_A_BATCH) -> Proof:
    """Proves the next groups behind the id `after`, all at one instant: totals = the sum of the members.

    The transaction must be fresh; it can't write any more.
    """
    await repository.take_snapshot(tx.session)
    ids = await repository.next_groups(tx.session, after=after, batch=batch)
    drifts = await repository.drifts_of_groups(tx.session, ids) if ids else ()
    return Proof(groups=len(ids), drifts=drifts, last=ids[-1] if len(ids) == batch else None)


async def prove_all(begin: Begin) -> AsyncIterator[Proof]:
    """Proves everything, a batch a transaction; what is held in memory does not grow with the number of accounts."""
    steps: tuple[Callable[..., Awaitable[Proof]], ...] = (prove_accounts, prove_groups)
    for prove in steps:
        after: UUID | None = _BEGINNING
        while after is not None:
            async with begin() as tx:
                proof = await prove(tx, after=after)
            yield proof
            after = proof.last


async def portfolio(tx: Transaction) -> Sequence[PortfolioPart]:
    """The accounts by segment, grade and currency. Reads every account: for a job, never for a request."""
    return await repository.portfolio(tx.session, now=tx.now)


async def desks(tx: Transaction) -> Sequence[SegmentDesk]:
    """What waits in each segment for a person, and whether a policy is active in it."""
    return await repository.desks(tx.session, now=tx.now)
