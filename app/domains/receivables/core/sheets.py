"""Sheets: statements of account and open-item lists as a table, for CSV and for paper, in English or Chinese."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from app.domains.receivables.core.open_items import OpenItems
from app.domains.receivables.core.statements import Statement
from app.kernel.money import ZERO, render

PAPER_EM: Final = 282
"""The size of the letters on paper, in hundredths of a millimetre: 8 points."""
PAPER_INSET: Final = Decimal("0.8")
"""What is free on each side of a column on paper, in millimetres."""
ROWS_OF_A_PART: Final = 40
"""A page holds somewhat more."""

FORMULA_SIGNS: Final = ("=", "+", "-", "@")
"""What makes a spreadsheet compute a text: such texts are quoted."""

_CHINESE: Final = {
    "Statement of account": "对账单",
    "Open items": "未清项清单",
    "Customer": "客户",
    "Period": "期间",
    "Date": "日期",
    "Currency": "币种",
    "Opening balance": "期初余额",
    "Closing balance": "期末余额",
    "Document": "单据",
    "Kind": "类型",
    "Item": "结算项",
    "Amount": "金额",
    "Effect": "影响",
    "Balance": "余额",
    "Issued": "开票日",
    "Due": "到期日",
    "Open": "未清金额",
    "Disputed": "争议金额",
    "Days overdue": "逾期天数",
    "Total": "合计",
    "Unallocated credits": "未分配贷项",
    "invoice": "发票",
    "debit_note": "借项通知单",
    "credit_note": "贷项通知单",
    "payment": "收款",
    "settlement": "结算差额",
    "write_off": "坏账核销",
    "recovery": "核销收回",
    "refund": "退款",
    "small_difference": "尾差",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its `name` in CSV, its `label` and width in millimetres on paper.

    It holds numbers, words of `ours` that are translated, or texts of others that stay as they are.
    """

    name: str
    label: str
    width: int
    numeric: bool = False
    ours: bool = False

    def surely_holds(self, text: str) -> bool:
        """Whether a text fits on one line of it, by the widest that its characters may be: for most texts it does."""
        return (
            sum(_hundredths_of_an_em(character) for character in text) * PAPER_EM
            <= (self.width - 2 * PAPER_INSET) * 10_000
        )


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with facts above and sums below it. Everything is text, ready to be shown."""

    title: str
    language: str
    facts: Sequence[tuple[str, str]]
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    sums: Sequence[tuple[str, str]]

    @property
    def csv(self) -> str:
        """The rows below the names of the columns, in RFC 4180; what a spreadsheet might compute is quoted."""
        written = io.StringIO()
        writer = csv.writer(written)
        writer.writerow([column.name for column in self.columns])
        for row in self.rows:
            writer.writerow([_harmless(text, column) for text, column in zip(row, self.columns, strict=True)])
        return written.getvalue()

    @property
    def paper(self) -> dict[str, Any]:
        """What the template of the paper form reads."""
        return {
            "title": self.title,
            "language": self.language,
            "facts": [list(fact) for fact in self.facts],
            "heads": [column.label for column in self.columns],
            "numeric": [column.numeric for column in self.columns],
            "widths": [column.width for column in self.columns],
            "parts": list(self._parts(map(self._shown, self.rows))),
            "sums": [list(total) for total in self.sums],
        }

    def _shown(self, row: Sequence[str]) -> list[str]:
        """A row as it stands on paper: our words translated, thousands apart."""
        word = _words(self.language)
        return [
            _grouped(text) if column.numeric else word(text) if column.ours else text
            for column, text in zip(self.columns, row, strict=True)
        ]

    def _parts(self, rows: Iterable[Sequence[str]]) -> Iterator[dict[str, Any]]:
        """The rows as they go to paper. Where every text surely fits on its line, a column of many rows is one text: so
        a list of hundreds of pages takes a fifth of the memory that as many cells would."""
        for fitting, alike in groupby(rows, key=self._fits):
            shown = list(alike)
            for start in range(0, len(shown), ROWS_OF_A_PART):
                yield {"fitting": fitting, "rows": shown[start : start + ROWS_OF_A_PART]}

    def _fits(self, row: Sequence[str]) -> bool:
        return all(column.surely_holds(text) for column, text in zip(self.columns, row, strict=True))


def statement_sheet(statement: Statement, *, customer: str, language: str | None) -> Sheet:
    """The statement of account of the customer named `customer`."""
    word, currency = _words(_spoken(language)), statement.currency
    window = statement.window
    return Sheet(
        title=word("Statement of account"),
        language=_spoken(language),
        facts=[
            (word("Customer"), f"{customer} ({statement.customer_id})"),
            (word("Period"), f"{window.start} – {window.end}"),
            (word("Currency"), currency),
            (word("Opening balance"), _grouped(render(statement.opening, currency))),
        ],
        columns=[
            Column("on", word("Date"), 18),
            Column("type", word("Kind"), 21, ours=True),
            Column("ref", word("Document"), 31),
            Column("invoice_no", word("Item"), 27),
            Column("currency", word("Currency"), 15),
            Column("amount", word("Amount"), 21, numeric=True),
            Column("effect", word("Effect"), 20, numeric=True),
            Column("balance", word("Balance"), 21, numeric=True),
        ],
        rows=[
            [
                moved.on.isoformat(),
                moved.type.value,
                moved.ref,
                moved.invoice_no or "",
                moved.currency,
                render(moved.amount, moved.currency),
                render(moved.effect, currency),
                render(balance, currency),
            ]
            for moved, balance in zip(statement.movements, statement.balances, strict=True)
        ],
        sums=[(word("Closing balance"), f"{_grouped(render(statement.closing, currency))} {currency}")],
    )


def open_items_sheet(found: OpenItems, *, customer: str, language: str | None) -> Sheet:
    """The open items of the customer named `customer`."""
    word = _words(_spoken(language))
    credits = f"{_grouped(render(found.unallocated_credits, found.currency))} {found.currency}"
    totals = [(word("Total"), f"{_grouped(render(amount, code))} {code}") for code, amount in found.totals.items()]
    return Sheet(
        title=word("Open items"),
        language=_spoken(language),
        facts=[
            (word("Customer"), f"{customer} ({found.customer_id})"),
            (word("Date"), found.on.isoformat()),
        ],
        columns=[
            Column("invoice_no", word("Document"), 28),
            Column("kind", word("Kind"), 21, ours=True),
            Column("issued_on", word("Issued"), 18),
            Column("due_on", word("Due"), 18),
            Column("days_overdue", word("Days overdue"), 12, numeric=True),
            Column("currency", word("Currency"), 15),
            Column("amount", word("Amount"), 21, numeric=True),
            Column("open_amount", word("Open"), 21, numeric=True),
            Column("disputed_amount", word("Disputed"), 20, numeric=True),
        ],
        rows=[
            [
                line.invoice_no,
                line.kind.value,
                line.issued_on.isoformat(),
                line.due_on.isoformat(),
                str(line.overdue_days(found.on)),
                line.currency,
                render(line.amount, line.currency),
                render(line.open, line.currency),
                render(line.disputed, line.currency),
            ]
            for line in found.lines
        ],
        sums=[*totals, *([(word("Unallocated credits"), credits)] if found.unallocated_credits != ZERO else [])],
    )


def _spoken(language: str | None) -> str:
    return "zh" if (language or "").lower().startswith("zh") else "en"


def _words(language: str) -> Any:
    known = _CHINESE if language == "zh" else {}
    return lambda text: known.get(text, text.replace("_", " ") if text in _CHINESE else text)


def _grouped(amount: str) -> str:
    """A number as it is read most easily: thousands apart, in English and in Chinese."""
    return format(Decimal(amount), ",")


def _hundredths_of_an_em(character: str) -> int:
    """At most so wide a character is in the fonts of the letters."""
    if character in ".,:;'!|":
        return 30
    if character in " /-_()":
        return 45
    if "0" <= character <= "9":
        return 58
    if "a" <= character <= "z" and character not in "mw":
        return 62
    if "A" <= character <= "Z" and character not in "MW":
        return 80
    return 100


def _harmless(text: str, column: Column) -> str:
    return f"'{text}" if text.startswith(FORMULA_SIGNS) and not column.numeric else text
