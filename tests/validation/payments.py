"""Real invoices: how well the payment index of the day an invoice was issued tells that it will be paid late."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import numpy as np

from app.domains.receivables.core.behaviour import Dealing, payment_behaviour
from tests.validation.book import day, read_rows
from tests.validation.measures import Floats


def payment_sample(path: Path) -> tuple[Floats, Floats, Floats]:
    """Of each invoice whose customer had a past: payment index, share on time, and 1 for paid late.

    Point in time: index and share are of the day of issue, from the invoices issued before it, as far as they had been
    settled by then.
    """
    dealings: dict[str, list[Dealing]] = defaultdict(list)
    for row in sorted(read_rows(path), key=lambda row: day(row["InvoiceDate"])):
        settled = day(row["SettledDate"]) if row["SettledDate"] else None
        amount = Decimal(row["InvoiceAmount"])
        dealings[row["customerID"]].append(Dealing(day(row["InvoiceDate"]), day(row["DueDate"]), amount, settled))
    found: list[tuple[float, float, int]] = []
    for history in dealings.values():
        for dealing in history:
            past = [each for each in history if each.issued_on < dealing.issued_on]
            known = payment_behaviour(past, on=dealing.issued_on)
            if known.payment_index is not None and known.share_on_time is not None and dealing.settled_on is not None:
                late = int(dealing.settled_on > dealing.due_on)
                found.append((float(known.payment_index), float(known.share_on_time), late))
    table = np.array(found, dtype=np.float64)
    return table[:, 0], table[:, 1], table[:, 2]
