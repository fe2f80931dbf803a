"""Runs a real book of invoices through Headroom, and says what it would have decided on one day.

    python -m tests.validation.book receivables_2012_2013.csv [--on 2013-06-30]

The file has a line for each invoice, with the day it was settled where it was: columns `customerID`, `invoiceNumber`,
`InvoiceDate`, `DueDate`, `InvoiceAmount`, `SettledDate`, days as m/d/yyyy. It is imported as it was known on that day,
on a clock that stands at its noon; then every customer gets a limit of twice its average monthly billing, and is asked
for an order as large as its largest invoice so far, under the default policy. At the end the rest is imported too.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from httpx import AsyncClient
from pydantic import SecretStr

from app.cli.environment import bring_up_to_date
from app.cli.imports import profile, running
from app.cli.imports.batches import Poster
from app.cli.imports.profile import Kind
from app.cli.imports.report import Tally, reporting
from app.domains.monitoring import service as monitoring
from app.infra.clock import FrozenClock, stopwatch
from app.infra.db import embedded
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM, Actor, ActorKind
from app.kernel.money import ZERO
from app.main import create_app
from app.settings import Settings
from tests.support.api import BOOTSTRAP_KEY, client_of

SEGMENT: Final = "us"
CURRENCY: Final = "USD"
LIMIT_MONTHS: Final = 2
"""A limit is so many months' billing."""
CENT: Final = Decimal("0.01")
IMPORTER: Final = Actor("validation", ActorKind.SERVICE)

PROFILE: Final = f"""
dates: M/D/YYYY
customers:
  customer_id: customerID
  name: customerID
  country: {{constant: US}}
  segment: {{constant: {SEGMENT}}}
  currency: {{constant: {CURRENCY}}}
invoices:
  invoice_no: invoiceNumber
  customer_id: customerID
  segment: {{constant: {SEGMENT}}}
  amount: InvoiceAmount
  currency: {{constant: {CURRENCY}}}
  issued_on: InvoiceDate
  due_on: DueDate
  received_on: SettledDate
"""


@dataclass(slots=True)
class Findings:
    """What came of it. Amounts in `CURRENCY`; `seconds` are those of the import of the day and of the rest."""

    on: str
    customers: int = 0
    exposure: Decimal = ZERO
    unallocated_credits: Decimal = ZERO
    aging: dict[str, Decimal] = field(default_factory=dict)
    months: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    refused_lines: int = 0
    documents: int = 0
    drifting: int = 0
    seconds: dict[str, Decimal] = field(default_factory=dict)


class _Silent:
    def reading(self, done: int, total: int) -> None:
        """Nobody watches."""

    def posting(self, done: int, total: int) -> None:
        """Nobody watches."""


def read_rows(path: Path) -> list[dict[str, str]]:
    """The lines of the file."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def day(text: str) -> date:
    """A day written m/d/yyyy."""
    month, number, year = map(int, text.split("/"))
    return date(year, month, number)


def known_on(rows: Iterable[dict[str, str]], on: date) -> list[dict[str, str]]:
    """The lines as they were known on a day: what was issued by then, settled only if it was by then."""
    return [
        {**row, "SettledDate": row["SettledDate"] if row["SettledDate"] and day(row["SettledDate"]) <= on else ""}
        for row in rows
        if day(row["InvoiceDate"]) <= on
    ]


async def validate(settings: Settings, path: Path, on: date, directory: Path) -> Findings:
    """Imports the book in an empty database, asks, imports the rest and proves the accounts."""
    rows = read_rows(path)
    known = known_on(rows, on)
    found = Findings(on.isoformat(), customers=len({row["customerID"] for row in rows}))
    clock = FrozenClock(datetime.combine(on, time(12), UTC))
    await bring_up_to_date(settings)
    async with _application(settings, clock) as (app, api):
        await _ok(api.put(f"/v1/segments/{SEGMENT}", json={"name": "US", "currency": CURRENCY, "time_zone": "UTC"}))
        parties = [{"customerID": customer_id} for customer_id in sorted({row["customerID"] for row in rows})]
        await _import(app, Kind.CUSTOMERS, _written(directory / "customers.csv", parties), found)
        await _import(app, Kind.INVOICES, _written(directory / "known.csv", known), found, note="until the day")
        await _stand(api, parties, found)
        await _decide(api, known, on, found)
        await _import(app, Kind.INVOICES, path, found, note="the whole file after it")
        found.drifting = await _drifting(app.state.transactions)
    return found


@asynccontextmanager
async def _application(settings: Settings, clock: FrozenClock) -> AsyncIterator[tuple[FastAPI, AsyncClient]]:
    quiet = {"bootstrap_key": SecretStr(BOOTSTRAP_KEY), "worker_in_server": False, "access_log": False}
    app = create_app(settings.model_copy(update=quiet), clock=clock)
    async with app.router.lifespan_context(app), client_of(app, BOOTSTRAP_KEY) as api:
        yield app, api


async def _import(app: FastAPI, kind: Kind, path: Path, found: Findings, *, note: str | None = None) -> Tally:
    poster = Poster(app.state.transactions, kind=kind, actor=IMPORTER, principal=None, dry_run=False)
    began = stopwatch()
    with reporting(None) as report:
        await running.run(running.Source(path, kind, profile.parse(PROFILE)), [poster], report, _Silent())
    if note is not None:
        found.seconds[note] = round(Decimal(str(stopwatch() - began)), 1)
        found.documents += report.tally.posted
    found.refused_lines += report.tally.refused
    return report.tally


async def _stand(api: AsyncClient, parties: list[dict[str, str]], found: Findings) -> None:
    """Exposure and aging of the whole book, summed from what the API says of each customer."""
    aging: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for party in parties:
        customer = f"/v1/customers/{party['customerID']}"
        exposure = (await _ok(api.get(f"{customer}/accounts/{SEGMENT}")))["exposure"]
        found.exposure += Decimal(exposure["total"])
        found.unallocated_credits += Decimal(exposure["unallocated_credits"])
        ages = await _ok(api.get(f"{customer}/aging", params={"segment": SEGMENT}))
        aging["not due"] += Decimal(ages["not_due"])
        for bucket in ages["buckets"]:
            aging[f"{bucket['from_days']}–{bucket['to_days'] or ''}"] += Decimal(bucket["amount"])
    found.aging = dict(aging)


async def _decide(api: AsyncClient, known: list[dict[str, str]], on: date, found: Findings) -> None:
    """Sets each customer's limit and asks for an order of its largest invoice, without consequences."""
    billed: dict[str, list[Decimal]] = defaultdict(list)
    for row in known:
        billed[row["customerID"]].append(Decimal(row["InvoiceAmount"]))
    first = min(day(row["InvoiceDate"]) for row in known)
    found.months = (on.year - first.year) * 12 + on.month - first.month + 1
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for customer_id, amounts in sorted(billed.items()):
        limit = (LIMIT_MONTHS * sum(amounts, ZERO) / found.months).quantize(CENT, ROUND_HALF_UP)
        decision = {"kind": "granted", "amount": str(limit), "reason": "validation"}
        await _ok(api.post(f"/v1/customers/{customer_id}/accounts/{SEGMENT}/limit", json=decision))
        order = {"customer_id": customer_id, "segment": SEGMENT, "order_ref": f"V/{customer_id}", "currency": CURRENCY}
        answer = await _ok(api.post("/v1/credit-checks", json={**order, "amount": str(max(amounts)), "reserve": False}))
        outcomes[answer["outcome"]] += 1
        codes = sorted(reason["code"] for reason in answer["reasons"] if reason["effect"] != "warn")
        if codes:
            reasons[" + ".join(codes)] += 1
    found.outcomes, found.reasons = dict(outcomes.most_common()), dict(reasons.most_common())


async def _drifting(transactions: Transactions) -> int:
    proofs = monitoring.prove_all(lambda: transactions.begin(actor=SYSTEM, request_id="validation"))
    return sum([len(proof.drifts) async for proof in proofs])


async def _ok(answering: Any) -> Any:
    answer = await answering
    assert answer.is_success, answer.text
    return answer.json()


def _written(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def main() -> None:
    """Prints the findings as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.validation.book", description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--on", type=date.fromisoformat, default=date(2013, 6, 30))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="headroom-validation-") as name:
        directory = Path(name)
        directory.chmod(0o711)  # the embedded server of root runs as somebody else
        with embedded.running(directory / "database") as server:
            found = asyncio.run(validate(Settings(database_url=server.url), asked.path, asked.on, directory))
    print(json.dumps(asdict(found), indent=2, default=str, ensure_ascii=False))


if __name__ == "__main__":
    main()
