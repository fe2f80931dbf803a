"""A real book of invoices, where one is at hand: what Headroom says of it is what plain arithmetic says."""

from __future__ import annotations

import os
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from app.settings import Settings
from tests.validation import book

VARIABLE = "HEADROOM_VALIDATION_BOOK"
ON = date(2013, 6, 30)


@pytest.fixture
def path() -> Path:
    """The file with the book."""
    found = os.environ.get(VARIABLE)
    if not found or not Path(found).is_file():
        pytest.skip(f"{VARIABLE} names no file: the book of invoices is not part of the product")
    return Path(found)


class TestBook:
    @pytest.mark.slow
    async def test_stands_as_plain_arithmetic_says(self, path: Path, database_url: str, tmp_path: Path) -> None:
        found = await book.validate(Settings(database_url=database_url), path, ON, tmp_path)
        rows = book.read_rows(path)
        opened = [row for row in book.known_on(rows, ON) if not row["SettledDate"]]
        late = [row for row in opened if book.day(row["DueDate"]) < ON]
        assert found.exposure == sum(Decimal(row["InvoiceAmount"]) for row in opened)
        assert found.exposure - found.aging["not due"] == sum(Decimal(row["InvoiceAmount"]) for row in late)
        assert found.documents == len(rows) + sum(bool(row["SettledDate"]) for row in rows)
        assert found.refused_lines == 0
        assert found.drifting == 0
        assert sum(found.outcomes.values()) == len({row["customerID"] for row in book.known_on(rows, ON)})
