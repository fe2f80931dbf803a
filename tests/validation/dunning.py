"""Reminds the customers of a real book of invoices, day by day, and says what came of it.

    python -m tests.validation.dunning receivables_2012_2013.csv [--prove-every 7] [--customer 0379-NEVHP]

The file has a line for each invoice: columns `customerID`, `invoiceNumber`, `InvoiceDate`, `DueDate`, `InvoiceAmount`,
`Disputed`, `SettledDate`, days as m/d/yyyy. On each day of 2012 and 2013 a file of its invoices and one of its payments
go through `headroom import`; what is marked as disputed is disputed from its due day on, and the dispute rejected on
the day it is paid. Then the jobs run: the scheduled run of the day, delivery (letters, for no mail server is set),
promises. Proven are: each item reaches each level at most once, no notice is about an item that is not overdue,
everybody with something overdue is in the day's run or left out for a reason, totals = ledger = documents.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cli.environment import bring_up_to_date
from app.cli.imports import profile, running
from app.cli.imports.batches import Poster
from app.cli.imports.profile import Kind, Profile
from app.cli.imports.report import reporting
from app.domains.dunning import jobs
from app.domains.dunning.adapters.carriers import Outbox
from app.domains.dunning.adapters.stationery import Stationery
from app.domains.monitoring import service as monitoring
from app.domains.policies import service as policies
from app.domains.policies.core.document import default_document
from app.domains.receivables import service as receivables
from app.domains.receivables.core.disputes import DisputeReason
from app.infra.clock import FrozenClock, stopwatch
from app.infra.db import embedded
from app.infra.db.engine import make_engine, make_sessions
from app.infra.jobs import Run
from app.infra.transaction import Transactions
from app.kernel.identity import Actor, ActorKind
from app.reactions import REACTIONS
from app.settings import Settings
from app.support.journal import service as journal

SEGMENT: Final = "main"
FIRST, LAST = date(2012, 1, 1), date(2013, 12, 31)
ANN: Final = Actor("ann", ActorKind.PERSON)
BOB: Final = Actor("bob", ActorKind.PERSON)
IMPORTER: Final = Actor("import", ActorKind.SERVICE)
PROFILE: Final = """
dates: M/D/YYYY
customers:
  customer_id: customerID
  name: customerID
  country: {constant: US}
  currency: {constant: CNY}
invoices:
  invoice_no: invoiceNumber
  customer_id: customerID
  amount: InvoiceAmount
  currency: {constant: CNY}
  issued_on: InvoiceDate
  due_on: DueDate
payments:
  payment_ref: {template: "P-{invoiceNumber}"}
  customer_id: customerID
  amount: InvoiceAmount
  currency: {constant: CNY}
  received_on: SettledDate
  invoice_no: invoiceNumber
"""


@dataclass(frozen=True, slots=True)
class Invoice:
    """One line of the file, as it is written and what this program goes by."""

    line: dict[str, str]
    number: str
    customer: str
    issued_on: date
    due_on: date
    settled_on: date
    is_disputed: bool


@dataclass(slots=True)
class Seconds:
    """Where the time went."""

    posting: float = 0.0
    dunning: float = 0.0
    proving: float = 0.0
    proofs: int = 0
    drifts: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def main() -> None:
    """Runs the book through, and prints what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.validation.dunning", description=__doc__.split("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--prove-every", type=int, default=7, help="days between two proofs of the books")
    parser.add_argument("--until", type=date.fromisoformat, default=LAST, help="the last day")
    parser.add_argument("--customer", help="whose timeline to print; default: who was reminded most")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="headroom-dunning-") as name:
        directory = Path(name)
        directory.chmod(0o711)
        with embedded.running(directory / "database", settings={"fsync": "off"}) as server:
            book = Book(read(asked.file), directory)
            asyncio.run(simulate(server.url, book, asked.until, asked.prove_every, asked.customer))


def read(file: Path) -> Sequence[Invoice]:
    """The invoices of the file."""
    with file.open(newline="", encoding="utf-8") as lines:
        return [
            Invoice(
                line=line,
                number=line["invoiceNumber"],
                customer=line["customerID"],
                issued_on=_day(line["InvoiceDate"]),
                due_on=_day(line["DueDate"]),
                settled_on=_day(line["SettledDate"]),
                is_disputed=line["Disputed"] == "Yes",
            )
            for line in csv.DictReader(lines)
        ]


class Book:
    """The invoices of the file, and where the files of each day are written."""

    def __init__(self, invoices: Sequence[Invoice], directory: Path) -> None:
        self.invoices = invoices
        self.profile: Profile = profile.parse(PROFILE)
        self._directory = directory

    async def bring_in(self, transactions: Transactions, kind: Kind, lines: Sequence[dict[str, str]]) -> None:
        """What `headroom import` does with a file of these lines."""
        if not lines:
            return
        path = self._directory / f"{kind}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(lines[0]))
            writer.writeheader()
            writer.writerows(lines)
        poster = Poster(transactions, kind=kind, actor=IMPORTER, principal=None, dry_run=False)
        with reporting(None) as report:
            await running.run(running.Source(path, kind, self.profile), [poster], report, _Silent())
        assert report.tally.posted == len(lines), report.tally.shown


class _Silent:
    def reading(self, done: int, total: int) -> None:
        """Nobody watches."""

    def posting(self, done: int, total: int) -> None:
        """Nobody watches."""


async def simulate(url: str, book: Book, until: date, prove_every: int, whose: str | None) -> None:
    """Day by day: documents, then the jobs, then, now and then, the proof."""
    await bring_up_to_date(Settings(database_url=url))
    engine = make_engine(url, pool_size=10)
    clock = FrozenClock(_noon(FIRST))
    transactions = Transactions(make_sessions(engine), clock=clock, journal=journal.write, reactions=REACTIONS)
    run = Run(transactions, request_id="simulation")
    outbox = Outbox.of(Stationery())
    await _open(transactions, book)
    spent, day = Seconds(), FIRST
    disputes: dict[str, UUID] = {}
    while day <= until:
        clock.move(to=_noon(day))
        began = stopwatch()
        await _post(transactions, book, day, disputes)
        posted = stopwatch()
        await _remind(run, outbox)
        async with engine.connect() as connection:
            spent.lost += [f"{day}: {name}" for name in await connection.scalars(text(_LOST), {"today": day})]
        spent.posting, spent.dunning = spent.posting + posted - began, spent.dunning + stopwatch() - posted
        if (day - FIRST).days % prove_every == 0 or day == until:
            await _prove(run, spent, day)
        day += timedelta(days=1)
    async with engine.connect() as connection:
        await _report(connection, spent, whose, prove_every)
    await engine.dispose()


async def _open(transactions: Transactions, book: Book) -> None:
    document = default_document()
    document["dunning"] |= {"schedule": {"hour": 6, "release": True}, "business_days": None}
    async with transactions.begin(actor=ANN, request_id="simulation") as tx:
        number = (await policies.draft(tx, segment=SEGMENT, document=document)).version.version
        await policies.submit(tx, segment=SEGMENT, number=number)
    async with transactions.begin(actor=BOB, request_id="simulation") as tx:
        await policies.approve(tx, segment=SEGMENT, number=number)
        await policies.activate(tx, segment=SEGMENT, number=number)
    names = sorted({invoice.customer for invoice in book.invoices})
    await book.bring_in(transactions, Kind.CUSTOMERS, [{"customerID": name} for name in names])


async def _post(transactions: Transactions, book: Book, day: date, disputes: dict[str, UUID]) -> None:
    """The invoices of the day, the disputes that begin and end on it, the payments of the day."""
    issued = [invoice.line for invoice in book.invoices if invoice.issued_on == day]
    await book.bring_in(transactions, Kind.INVOICES, issued)
    for invoice in book.invoices:
        if invoice.is_disputed and invoice.due_on == day < invoice.settled_on:
            async with transactions.begin(actor=ANN, request_id="simulation") as tx:
                opened = await receivables.open_dispute(
                    tx, segment=SEGMENT, invoice_no=invoice.number, reason=DisputeReason.QUALITY
                )
            disputes[invoice.number] = opened.id
    paid = [invoice for invoice in book.invoices if invoice.settled_on == day]
    for invoice in paid:
        if invoice.number in disputes:
            async with transactions.begin(actor=ANN, request_id="simulation") as tx:
                await receivables.reject_dispute(
                    tx, segment=SEGMENT, invoice_no=invoice.number, dispute_id=disputes.pop(invoice.number)
                )
    await book.bring_in(transactions, Kind.PAYMENTS, [invoice.line for invoice in paid])


async def _remind(run: Run, outbox: Outbox) -> None:
    await jobs.end_promises(run)
    await jobs.begin_scheduled_runs(run)
    await jobs.go_on_with_runs(run)
    for job in jobs.delivery(outbox):
        await job.run(run)
    await jobs.go_on_with_runs(run)


async def _prove(run: Run, spent: Seconds, day: date) -> None:
    began = stopwatch()
    async for proof in monitoring.prove_all(run.begin):
        spent.drifts += [f"{day}: {drift}" for drift in proof.drifts]
    spent.proofs += 1
    spent.proving += stopwatch() - began


async def _report(connection: AsyncConnection, spent: Seconds, whose: str | None, prove_every: int) -> None:
    for title, statement in _TABLES.items():
        print(f"\n{title}")
        for row in await connection.execute(text(statement)):
            print("  ", *row)
    for claim, statement in _PROOFS.items():
        found = (await connection.execute(text(statement))).all()
        print(f"{claim}: {'yes' if not found else f'NO, {found[:5]}'}")
    print(f"totals = ledger = documents, every {prove_every} days ({spent.proofs} times): {spent.drifts[:5] or 'yes'}")
    print(f"everybody overdue is in the day's run or left out for a reason: {spent.lost[:5] or 'yes'}")
    print(f"importing {spent.posting:.1f} s, dunning {spent.dunning:.1f} s, proving {spent.proving:.1f} s")
    whose = whose or (await connection.execute(text(_MOST))).scalar_one()
    print(f"\ntimeline of {whose}")
    for row in await connection.execute(text(_TIMELINE), {"customer": whose}):
        print("  ", *row)


_LOST: Final = """
    select distinct customer_id from open_items
     where open_amount > 0 and kind <> 'credit_note' and due_on < :today
    except
    (select n.customer_id from dunning_notices n join dunning_runs r on r.id = n.run_id where r.run_on = :today
     union all
     select s.customer_id from dunning_skips s join dunning_runs r on r.id = s.run_id where r.run_on = :today)"""
_TABLES: Final = {
    "notices by level: level, notices, sent by, still unpaid": """
        select level, count(*), min(sent_by), count(*) filter (where state = 'sent')
          from dunning_notices where state in ('sent', 'settled') group by level order by level""",
    "notices by state": "select state, count(*) from dunning_notices group by state order by state",
    "why customers were skipped": "select reason, count(*) from dunning_skips group by reason order by 2 desc",
    "runs": "select state, count(*), sum(notices), sum(skipped) from dunning_runs group by state",
}
_PROOFS: Final = {
    "each item reaches each level at most once": """
        select invoice_no, level, count(*) from dunning_lines where is_raised and is_live
         group by invoice_no, level having count(*) > 1""",
    "no notice is about an item that is not overdue": """
        select n.reference, l.invoice_no from dunning_lines l join dunning_notices n on n.id = l.notice_id
         where l.is_live and l.due_on >= n.run_on""",
    "one notice a customer and day at most": """
        select customer_id, run_on from dunning_notices where state in ('sent', 'settled')
         group by customer_id, run_on having count(*) > 1""",
    "no notice is open about items that are paid": """
        select n.reference from dunning_notices n
         where n.state = 'sent' and not exists (
               select from dunning_lines l join open_items i on i.id = l.item_id
                where l.notice_id = n.id and l.is_raised and i.open_amount > 0)""",
    "the level of every account is that of its open items": """
        select a.customer_id, a.dunning_level from accounts a
         where a.dunning_level <> coalesce((
               select max(l.level) from dunning_lines l join dunning_notices n on n.id = l.notice_id
                 join open_items i on i.id = l.item_id
                where l.account_id = a.id and l.is_raised and l.is_live and n.state = 'sent'
                   and i.open_amount > 0), 0)""",
}
_MOST: Final = """
    select customer_id from dunning_notices where state in ('sent', 'settled')
     group by customer_id order by max(level) desc, count(*) desc, customer_id limit 1"""
_TIMELINE: Final = """
    select at::date, type, coalesce(subject_id, ''), coalesce(after->>'level', after->>'amount', ''),
           coalesce(after->>'reference', after->>'reason', '')
      from events
     where customer_id = :customer and type in ('dunning_notice_sent', 'dunning_notice_settled', 'payment_posted',
           'invoice_posted', 'dispute_opened', 'hold_set', 'hold_lifted', 'risk_noted')
     order by at, id limit 120"""


def _day(written: str) -> date:
    month, day, year = written.split("/")
    return date(int(year), int(month), int(day))


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


if __name__ == "__main__":
    main()
