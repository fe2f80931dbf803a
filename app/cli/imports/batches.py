"""Batches of entries: one transaction each, tried again while others are in the way, split when it is refused whole."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

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

ATTEMPTS: Final = 30
"""How often a batch is tried while others hold its accounts; waits grow to two seconds."""


class OthersInTheWay(Exception):
    """The accounts or the database were busy for too long; the message says why. Repeating the import continues it."""


class _OnlyTried(Exception):
    """Ends the transaction of a dry run, so that nothing of it stays."""

    def __init__(self, results: Sequence[Result]) -> None:
        self.results = results


class Poster:
    """Posts batches of one import, one transaction each."""

    def __init__(
        self, transactions: Transactions, *, kind: Kind, actor: Actor, principal: Principal | None, dry_run: bool
    ) -> None:
        """With a `principal`, only its segments may be posted to; a dry run posts every batch and takes it back."""
        self._transactions = transactions
        self._kind = kind
        self._actor = actor
        self._principal = principal
        self._dry_run = dry_run

    async def post(self, batch: Sequence[Entry]) -> Sequence[Result]:
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
