"""Statements and open items as JSON, CSV and PDF."""

from __future__ import annotations

import csv
import io
import unicodedata

import pytest
from httpx import AsyncClient, Response
from pypdf import PdfReader

from app.domains.receivables import service as receivables
from app.domains.receivables.core.sheets import Column, Sheet
from app.infra.transaction import Transactions
from tests.domains.receivables.http import a_payment, an_invoice, post


def table(response: Response) -> list[dict[str, str]]:
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(response.text)))


def words(response: Response) -> str:
    assert response.headers["content-type"] == "application/pdf"
    pages = PdfReader(io.BytesIO(response.content)).pages
    return unicodedata.normalize("NFKC", "\n".join(page.extract_text() for page in pages))


@pytest.fixture
async def trade(api: AsyncClient, company: None, transactions: Transactions) -> None:
    """An overdue invoice in part disputed, one in two parts, a payment."""
    await post(api, "/v1/invoices", an_invoice("I1", "100", issued_on="2026-01-05", due_on="2026-02-10"))
    parts = [{"due_on": "2026-04-01", "amount": "30"}, {"due_on": "2026-05-01", "amount": "50"}]
    await post(api, "/v1/invoices", an_invoice("=I2", "80", instalments=parts))
    await post(api, "/v1/invoices/I1/disputes", {"amount": "40", "reason": "price"})
    await post(api, "/v1/payments", a_payment(amount="10", allocate="none"))


class TestOpenItems:
    async def test_are_listed_part_by_part(self, api: AsyncClient, trade: None) -> None:
        body = (await api.get("/v1/customers/C1/open-items")).json()
        lines = [
            (line["invoice_no"], line["due_on"], line["open_amount"], line["disputed_amount"], line["overdue_days"])
            for line in body["items"]
        ]
        assert lines == [
            ("I1", "2026-02-10", "100.00", "40.00", 20),
            ("=I2", "2026-04-01", "30.00", "0.00", 0),
            ("=I2", "2026-05-01", "50.00", "0.00", 0),
        ]
        assert body["totals"] == [{"currency": "CNY", "amount": "180.00"}]
        assert body["unallocated_credits"] == "10.00"

    async def test_are_a_table_that_computes_nothing(self, api: AsyncClient, trade: None) -> None:
        rows = table(await api.get("/v1/customers/C1/open-items", headers={"Accept": "text/csv"}))
        assert [(row["invoice_no"], row["open_amount"]) for row in rows] == [
            ("I1", "100.00"),
            ("'=I2", "30.00"),
            ("'=I2", "50.00"),
        ]

    async def test_are_a_page_in_the_customers_language(self, api: AsyncClient, trade: None) -> None:
        accept = {"Accept": "application/pdf"}
        english = words(await api.get("/v1/customers/C1/open-items", headers=accept))
        assert "Open items" in english
        assert "180.00 CNY" in english
        customer = {"name": "上海华星贸易有限公司", "country": "CN", "language": "zh-CN"}
        assert (await api.put("/v1/customers/C1", json=customer)).status_code == 200
        chinese = words(await api.get("/v1/customers/C1/open-items", headers=accept))
        assert "未清项清单" in chinese
        assert "上海华星贸易有限公司" in chinese

    async def test_of_nobody_are_not_found(self, api: AsyncClient) -> None:
        for accept in ("application/json", "text/csv", "application/pdf"):
            response = await api.get("/v1/customers/nobody/open-items", headers={"Accept": accept})
            assert (response.status_code, response.json()["code"]) == (404, "account_not_found")


class TestStatement:
    async def test_says_the_same_in_every_format(self, api: AsyncClient, trade: None) -> None:
        path = "/v1/customers/C1/statement?from=2026-01-01&to=2026-03-02"
        body = (await api.get(path)).json()
        rows = table(await api.get(path, headers={"Accept": "text/csv"}))
        assert [(row["ref"].lstrip("'"), row["effect"], row["balance"]) for row in rows] == [
            (moved["ref"], moved["effect"], moved["balance"]) for moved in body["movements"]
        ]
        paper = words(await api.get(path, headers={"Accept": "application/pdf"}))
        assert "Statement of account" in paper
        assert f"{body['closing_balance']} CNY" in paper
        assert body["closing_balance"] == "170.00"


class TestLongLists:
    """Hundreds of lines: everything is there, in order, on every page below the heads of the columns."""

    @pytest.fixture
    async def long(self, api: AsyncClient, company: None) -> list[str]:
        """The numbers of 220 invoices by due day; every fiftieth is long, and of wide letters."""
        numbers = [f"INV/{n:04}" if n % 50 else f"WMWMWMWMWM/华星贸易/{n:04}" for n in range(220)]
        bodies = [an_invoice(number, f"{n + 1}000000", due_on="2026-04-01") for n, number in enumerate(numbers)]
        response = await api.post("/v1/invoices/batch", json={"items": bodies})
        assert {result["status"] for result in response.json()["results"]} == {201}
        return sorted(numbers)

    @pytest.mark.parametrize("path", ["open-items", "statement?from=2026-03-01&to=2026-03-31"])
    async def test_are_complete_in_every_format(self, api: AsyncClient, long: list[str], path: str) -> None:
        asked = f"/v1/customers/C1/{path}"
        body = (await api.get(asked)).json()
        name = "ref" if "movements" in body else "invoice_no"
        assert sorted(line[name] for line in body.get("movements") or body["items"]) == long
        assert sorted(row[name] for row in table(await api.get(asked, headers={"Accept": "text/csv"}))) == long
        paper = await api.get(asked, headers={"Accept": "application/pdf"})
        pages = [unicodedata.normalize("NFKC", p.extract_text()) for p in PdfReader(io.BytesIO(paper.content)).pages]
        assert len(pages) > 4
        assert all("Document" in page for page in pages), "the heads are repeated"
        joined = "".join("\n".join(pages).split())
        assert all(number in joined for number in long)
        assert "220,000,000.00" in joined, "thousands apart"

    async def test_are_refused_beyond_what_a_format_holds(
        self, api: AsyncClient, long: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(receivables, "LINES_MAX", 219)
        for path in ("open-items", "statement"):
            asked = f"/v1/customers/C1/{path}"
            refused = await api.get(asked, headers={"Accept": "application/pdf"})
            assert (refused.status_code, refused.json()["code"]) == (422, "statement_too_long")
            assert len(table(await api.get(asked, headers={"Accept": "text/csv"}))) == 220


class TestPaper:
    def test_joins_rows_that_surely_fit_on_their_lines(self) -> None:
        columns = [Column("ref", "Document", 20), Column("amount", "Amount", 20, numeric=True)]
        rows = [["INV-1", "1.00"], ["INV-2", "12345.50"], ["W" * 20, "1.00"], ["INV-3", "1000000000000.00"]]
        parts = Sheet("", "en", (), columns, [*rows, *[["INV-4", "1.00"]] * 41], ()).paper["parts"]
        assert [(part["fitting"], len(part["rows"])) for part in parts] == [
            (True, 2),
            (False, 2),
            (True, 40),
            (True, 1),
        ]
        assert parts[0]["rows"][1] == ["INV-2", "12,345.50"]

    def test_translates_our_own_words_only(self) -> None:
        columns = [Column("kind", "类型", 20, ours=True), Column("ref", "单据", 20)]
        [part] = Sheet("", "zh", (), columns, [["write_off", "write_off"]], ()).paper["parts"]
        assert part["rows"] == [["坏账核销", "write_off"]]


class TestCsv:
    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum"])
    def test_quotes_what_a_spreadsheet_would_compute(self, text: str) -> None:
        columns = [Column("ref", "Document", 20), Column("effect", "Effect", 20, numeric=True)]
        sheet = Sheet("", "en", (), columns, [[text, "-1.00"]], ())
        assert sheet.csv.splitlines()[1] == f"'{text},-1.00"
