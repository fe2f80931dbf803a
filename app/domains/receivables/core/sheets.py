"""Sheets: statements of account and open-item lists as a table, for CSV and for paper, in English or Chinese."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.domains.receivables.core.open_items import OpenItems
from app.domains.receivables.core.statements import Statement
from app.kernel.money import ZERO, render

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
    """A column: its `name` in CSV, its `label` on paper, and whether it holds numbers."""

    name: str
    label: str
    numeric: bool = False


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
        """What the template of the paper form reads; kinds are translated."""
        word = _words(self.language)
        return {
            "title": self.title,
            "language": self.language,
            "facts": [list(fact) for fact in self.facts],
            "heads": [column.label for column in self.columns],
            "numeric": [column.numeric for column in self.columns],
            "rows": [[word(text) for text in row] for row in self.rows],
            "sums": [list(total) for total in self.sums],
        }


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
            (word("Opening balance"), render(statement.opening, currency)),
        ],
        columns=[
            Column("on", word("Date")),
            Column("type", word("Kind")),
            Column("ref", word("Document")),
            Column("invoice_no", word("Item")),
            Column("currency", word("Currency")),
            Column("amount", word("Amount"), numeric=True),
            Column("effect", word("Effect"), numeric=True),
            Column("balance", word("Balance"), numeric=True),
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
        sums=[(word("Closing balance"), f"{render(statement.closing, currency)} {currency}")],
    )


def open_items_sheet(found: OpenItems, *, customer: str, language: str | None) -> Sheet:
    """The open items of the customer named `customer`."""
    word = _words(_spoken(language))
    credits = f"{render(found.unallocated_credits, found.currency)} {found.currency}"
    totals = [(word("Total"), f"{render(amount, code)} {code}") for code, amount in found.totals.items()]
    return Sheet(
        title=word("Open items"),
        language=_spoken(language),
        facts=[
            (word("Customer"), f"{customer} ({found.customer_id})"),
            (word("Date"), found.on.isoformat()),
        ],
        columns=[
            Column("invoice_no", word("Document")),
            Column("kind", word("Kind")),
            Column("issued_on", word("Issued")),
            Column("due_on", word("Due")),
            Column("days_overdue", word("Days overdue"), numeric=True),
            Column("currency", word("Currency")),
            Column("amount", word("Amount"), numeric=True),
            Column("open_amount", word("Open"), numeric=True),
            Column("disputed_amount", word("Disputed"), numeric=True),
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


def _harmless(text: str, column: Column) -> str:
    return f"'{text}" if text.startswith(FORMULA_SIGNS) and not column.numeric else text
