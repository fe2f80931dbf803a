"""Batches of entries: one transaction each, tried again while others are in the way, split when it is refused whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Final
from zlib import crc32

from pydantic import ValidationError

from app.cli.imports.documents import SETTLING, Request, request_of
from app.cli.imports.outcomes import Outcome, Result
from app.cli.imports.posting import POSTERS
from app.cli.imports.profile import Kind
from app.cli.imports.sorting import Entry
from app.infra.db.failures import refusal_of
from app.infra.http.problem import RequestInvalid, faults_of
from app.infra.transaction import Transactions
from app.kernel.errors import Busy, Refusal
from app.kernel.identity import Actor
from app.support.auth.core.principals import Principal

BATCH_DOCUMENTS: Final = 1_000
"""Invoices and payments: they are posted a set at a time, and lock their accounts for some tenths of a second."""
LANES: Final = 2
"""How many batches of invoices are under way at once; the import has a connection for each."""
SHARES: Final = 16
"""Among how many batches the customers of invoices that follow each other are dealt out."""
SHARE_DOCUMENTS: Final = 800
"""How many documents a batch gets on average: some customers buy more than others."""
BATCH_OTHERS: Final = 100
"""What is posted one after another in the transaction."""
ATTEMPTS: Final = 30
"""How often a batch is tried while others hold its accounts; waits grow to two seconds."""

Lane = Sequence[Sequence[Entry]]
"""Batches that are posted one after another."""
Heard = Callable[[Entry, Result], None]
"""Who is told what became of an entry."""


class OthersInTheWay(Exception):
    """The accounts or the database were busy for too long; the message says why. Repeating the import continues it."""


class _OnlyTried(Exception):
    """Ends the transaction of a dry run, so that nothing of it stays."""

    def __init__(self, results: Sequence[Result]) -> None:
        self.results = results


class Poster:
    """Posts batches of one import."""

    def __init__(
        self, transactions: Transactions, *, kind: Kind, actor: Actor, principal: Principal | None, dry_run: bool
    ) -> None:
        """With a `principal`, only its segments may be posted to; a dry run posts every batch and takes it back."""
        self._transactions = transactions
        self._kind = kind
        self._actor = actor
        self._principal = principal
        self._dry_run = dry_run

    async def post_all(self, entries: Iterable[Entry], heard: Heard) -> None:
        """Posts the entries, and tells `heard` in their order what became of each. Raises `OthersInTheWay`."""
        for together in self._cut(entries):
            results: dict[tuple[int, int], Result] = {}
            lanes = dealt(together) if self._kind is Kind.INVOICES else [[together]]
            try:
                await asyncio.gather(*(self._post_lane(lane, results) for lane in lanes))
            finally:
                for entry in together:
                    if (entry.line, entry.rank) in results:
                        heard(entry, results[entry.line, entry.rank])

    def _cut(self, entries: Iterable[Entry]) -> Iterator[Sequence[Entry]]:
        """What is posted before anything that follows."""
        if self._kind is Kind.FX_RATES:
            return (list(day) for _, day in groupby(entries, key=lambda entry: entry.day))
        if self._kind is Kind.INVOICES:
            return _cut(entries, SHARES * SHARE_DOCUMENTS)
        return _cut(entries, BATCH_DOCUMENTS if self._kind is Kind.PAYMENTS else BATCH_OTHERS)

    async def _post_lane(self, lane: Lane, results: dict[tuple[int, int], Result]) -> None:
        for batch in lane:
            for entry, result in zip(batch, await self._post(batch), strict=True):
                results[entry.line, entry.rank] = result

    async def _post(self, batch: Sequence[Entry]) -> Sequence[Result]:
        """What became of each entry of a batch. Raises `OthersInTheWay`."""
        results: dict[int, Result] = {}
        wanted: list[tuple[int, Request]] = []
        for place, entry in enumerate(batch):
            try:
                request = self._request(entry)
            except Refusal as refusal:
                results[place] = refusal
                continue
            if self._dry_run and self._kind is Kind.INVOICES and entry.rank == SETTLING:
                results[place] = Outcome.POSTED  # its invoice was tried, and taken back
                continue
            wanted.append((place, request))
        posted = await self._settle([request for _, request in wanted])
        results |= zip((place for place, _ in wanted), posted, strict=True)
        return [results[place] for place in range(len(batch))]

    def _request(self, entry: Entry) -> Request:
        try:
            request = request_of(self._kind, entry)
        except ValidationError as error:
            raise RequestInvalid(faults=faults_of(error)) from None
        if self._principal is not None and (segment := getattr(request, "segment", None)) is not None:
            self._principal.confine(segment)
        return request

    async def _settle(self, requests: Sequence[Request]) -> Sequence[Result]:
        """Posts all; where the whole is refused for the sake of one, halves are posted until that one stands alone."""
        if not requests:
            return ()
        try:
            return await self._with_patience(requests)
        except Refusal as refusal:
            if len(requests) == 1:
                return [refusal]
        middle = len(requests) // 2
        return [*await self._settle(requests[:middle]), *await self._settle(requests[middle:])]

    async def _with_patience(self, requests: Sequence[Request]) -> Sequence[Result]:
        for attempt in range(ATTEMPTS):
            try:
                return await self._try(requests)
            except Exception as error:
                busy = error if isinstance(error, Busy) else refusal_of(error)
                if busy is None:
                    raise
                if attempt == ATTEMPTS - 1:
                    raise OthersInTheWay(busy.detail) from error
            await asyncio.sleep(min(0.05 * 2**attempt, 2.0))
        raise AssertionError("the last attempt returns or raises")

    async def _try(self, requests: Sequence[Request]) -> Sequence[Result]:
        try:
            async with self._transactions.begin(actor=self._actor, request_id=f"import:{self._kind}") as tx:
                results = await POSTERS[self._kind](tx, requests)
                if self._dry_run:
                    raise _OnlyTried(results)
            return results
        except _OnlyTried as tried:
            return tried.results


def dealt(entries: Sequence[Entry]) -> Sequence[Lane]:
    """Invoices and their payments in lanes of batches that are posted at the same time.

    They concern one customer only. So their customers are dealt out to shares: a batch then has many documents of few
    accounts, each of which is locked and written once for all of them. While the database works for one lane we prepare
    the other, and the days of each customer stay in their order. (A payment that came by itself may concern its
    customer's whole group, so those are posted one batch after another.)
    """
    shares: list[list[Entry]] = [[] for _ in range(SHARES)]
    for entry in entries:
        shares[crc32(entry.fields["customer_id"].encode()) % SHARES].append(entry)
    return [
        [batch for share in shares[place::LANES] for batch in _cut(share, BATCH_DOCUMENTS)] for place in range(LANES)
    ]


def _cut(entries: Iterable[Entry], size: int) -> Iterator[Sequence[Entry]]:
    rest = iter(entries)
    while batch := list(islice(rest, size)):
        yield batch
