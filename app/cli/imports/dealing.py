"""Deals the entries of a file out to those who post: in batches, the days of each customer in their order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Final, Protocol
from zlib import crc32

from app.cli.imports.outcomes import Result
from app.cli.imports.profile import Kind
from app.cli.imports.sorting import Entry

BATCH_DOCUMENTS: Final = 1_000
"""Invoices and payments: they are posted a set at a time, and lock their accounts for some tenths of a second."""
BATCH_OTHERS: Final = 100
"""What is posted one after another in the transaction."""
SHARES: Final = 16
"""Among how many batches the customers of invoices that follow each other are dealt out."""
SHARE_DOCUMENTS: Final = 800
"""How many documents a batch gets on average: some customers buy more than others."""

Lane = Sequence[Sequence[Entry]]
"""Batches that are posted one after another."""
Heard = Callable[[Entry, Result], None]
"""Who is told what became of an entry."""


class Hand(Protocol):
    """Somebody who posts batches, one at a time."""

    async def post(self, batch: Sequence[Entry]) -> Sequence[Result]:
        """What became of each entry of a batch. Raises `OthersInTheWay`."""


async def post_all(entries: Iterable[Entry], hands: Sequence[Hand], heard: Heard, *, kind: Kind) -> None:
    """Posts the entries by these hands, and tells `heard` in their order what became of each.

    While a group is posted the next one is read. Raises `OthersInTheWay`.
    """
    groups = _groups(entries, kind)
    group = next(groups, None)
    while group is not None:
        group, _ = await asyncio.gather(
            asyncio.to_thread(next, groups, None), _post_group(group, hands, heard, kind=kind)
        )


async def _post_group(group: Sequence[Entry], hands: Sequence[Hand], heard: Heard, *, kind: Kind) -> None:
    results: dict[tuple[int, int], Result] = {}
    lanes = dealt(group, len(hands)) if kind is Kind.INVOICES else [[group]]
    try:
        await asyncio.gather(*(_post_lane(lane, hand, results) for lane, hand in zip(lanes, hands, strict=False)))
    finally:
        for entry in group:
            if (entry.line, entry.rank) in results:
                heard(entry, results[entry.line, entry.rank])


async def _post_lane(lane: Lane, hand: Hand, results: dict[tuple[int, int], Result]) -> None:
    for batch in lane:
        for entry, result in zip(batch, await hand.post(batch), strict=True):
            results[entry.line, entry.rank] = result


def _groups(entries: Iterable[Entry], kind: Kind) -> Iterator[Sequence[Entry]]:
    """What is posted before anything that follows."""
    if kind is Kind.FX_RATES:
        return (list(day) for _, day in groupby(entries, key=lambda entry: entry.day))
    if kind is Kind.INVOICES:
        return _cut(entries, SHARES * SHARE_DOCUMENTS)
    return _cut(entries, BATCH_DOCUMENTS if kind is Kind.PAYMENTS else BATCH_OTHERS)


def dealt(entries: Sequence[Entry], lanes: int) -> Sequence[Lane]:
    """Invoices and their payments in lanes of batches that are posted at the same time.

    They concern one customer only. So their customers are dealt out to shares: a batch then has many documents of few
    accounts, each of which is locked and written once for all of them, and the days of each customer stay in their
    order. (A payment that came by itself may concern its customer's whole group, so those are posted one batch after
    another.)
    """
    shares: list[list[Entry]] = [[] for _ in range(SHARES)]
    for entry in entries:
        shares[crc32(entry.fields["customer_id"].encode()) % SHARES].append(entry)
    return [
        [batch for share in shares[place::lanes] for batch in _cut(share, BATCH_DOCUMENTS)] for place in range(lanes)
    ]


def _cut(entries: Iterable[Entry], size: int) -> Iterator[Sequence[Entry]]:
    rest = iter(entries)
    while batch := list(islice(rest, size)):
        yield batch
