"""From columns to fields."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.cli.imports import profile as profiles
from app.cli.imports.documents import entries_of
from app.cli.imports.fields import FIELDS
from app.cli.imports.profile import Kind, Profile, ProfileInvalid, parse
from app.cli.imports.reading import FileUnreadable, Line, LineRefused, LineSkipped, open_lines
from app.cli.imports.sorting import Entry

HEADER = "invoice_no,customer_id,amount,currency,issued_on\n"


class Reads:
    """Reads texts as files of a profile."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, content: str | bytes, yaml: str = "", kind: Kind = Kind.INVOICES) -> list[Any]:
        self._path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with open_lines(self._path, kind, parse(yaml)) as (lines, _):
            return list(lines)


@pytest.fixture
def reads(tmp_path: Path) -> Reads:
    """Reads a text with a profile."""
    return Reads(tmp_path / "file.csv")


class TestLines:
    def test_have_our_own_columns_without_a_profile(self, reads: Reads) -> None:
        [line] = reads(HEADER + "1,C,5.00,CNY,2026-01-02\n")
        assert line == Line(
            2,
            {"invoice_no": "1", "customer_id": "C", "amount": "5.00", "currency": "CNY", "issued_on": "2026-01-02"},
        )

    def test_are_numbered_as_people_count_them(self, reads: Reads) -> None:
        found = reads(HEADER + '"a\nb",C,5,CNY,2026-01-02\n\n2,C,x,CNY,2026-01-02\n')
        assert [line.number for line in found] == [2, 5]

    def test_that_do_not_fit_the_header_are_refused(self, reads: Reads) -> None:
        [short, long] = reads(HEADER + "1,C\n1,C,5,CNY,2026-01-02,more\n")
        assert [short.refusal.code, long.refusal.code] == ["line_malformed"] * 2

    def test_say_which_field_cannot_be_read(self, reads: Reads) -> None:
        [bad] = reads(HEADER + "77,C,five,CNY,2026-01-02\n")
        assert isinstance(bad, LineRefused)
        assert (bad.reference, bad.refusal.code) == ("77", "value_unreadable")
        assert bad.refusal.faults[0].pointer == "/amount"

    def test_without_something_needed_are_refused(self, reads: Reads) -> None:
        [bad] = reads(HEADER + "77,,5,CNY,2026-01-02\n")
        assert bad.refusal.faults[0].pointer == "/customer_id"
        assert bad.refusal.code == "field_missing"


class TestEncodings:
    @pytest.mark.parametrize(
        ("encoding", "name"),
        [("utf-8", "红星贸易"), ("utf-8-sig", "红星贸易"), ("gb18030", "红星贸易"), ("cp1252", "Müller & Söhne")],
    )
    def test_are_read_as_said(self, reads: Reads, encoding: str, name: str) -> None:
        said = "utf-8" if encoding == "utf-8-sig" else encoding
        text = f"customer_id,name,country\nC1,{name},CN\n"
        [line] = reads(text.encode(encoding), f"encoding: {said}", Kind.CUSTOMERS)
        assert line.fields["name"] == name

    def test_that_are_wrong_are_said_before_anything_is_posted(self, reads: Reads) -> None:
        with pytest.raises(FileUnreadable, match="gb18030"):
            reads("customer_id,name,country\nC1,红星贸易,CN\n".encode("gb18030"), "", Kind.CUSTOMERS)


class TestColumns:
    @pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
    def test_are_split_by_whatever_the_header_has_most_of(self, reads: Reads, mark: str) -> None:
        [line] = reads((HEADER + "1,C,5.00,CNY,2026-01-02\n").replace(",", mark))
        assert line.fields["customer_id"] == "C"

    def test_that_are_needed_must_be_there(self, reads: Reads) -> None:
        with pytest.raises(FileUnreadable, match=r"issued_on .* among the columns: invoice_no"):
            reads("invoice_no,customer_id,amount,currency\n")

    def test_are_found_whatever_their_case_and_however_many_spaces(self, reads: Reads) -> None:
        yaml = """
        orders:
          order_ref: ID
          customer_id: Customer
          currency: Currency
          approved: Grand Total
          shipped: {column: "% Delivered", percent_of: Grand Total}
        """
        [line] = reads("ID,customer,Currency,Grand  Total,%  Delivered\nSO-1,C1,CNY,200.00,50\n", yaml, Kind.ORDERS)
        assert (line.fields["customer_id"], line.fields["shipped"]) == ("C1", "100.00")

    def test_can_be_translated_defaulted_and_skipped(self, reads: Reads) -> None:
        yaml = """
        customers:
          customer_id: Id
          name: Name
          country: {column: Land, values: {Norwegen: NO, intern: skip}, default: DE}
        """
        norway, germany, inside = reads("Id,Name,Land\n007,a,Norwegen\n8,b,\n9,c,intern\n", yaml, Kind.CUSTOMERS)
        assert norway.fields == {"customer_id": "007", "name": "a", "country": "NO"}
        assert germany.fields["country"] == "DE"
        assert inside == LineSkipped(4)

    def test_can_be_filled_in_resigned_and_taken_in_percent(self, reads: Reads) -> None:
        yaml = """
        decimals: 1.234,56
        orders:
          order_ref: {template: "{Year}/{No}"}
          customer_id: Customer
          currency: {constant: EUR}
          approved: {column: Total, sign: turn}
          shipped: {column: Done, percent_of: Total}
        """
        [line] = reads("Year;No;Customer;Total;Done\n2026;1;C;-1.000,00;33,3\n", yaml, Kind.ORDERS)
        assert line.fields["order_ref"] == "2026/1"
        assert (line.fields["approved"], line.fields["currency"]) == ("1000.00", "EUR")


class TestEntries:
    def test_of_a_settled_invoice_are_two(self) -> None:
        line = Line(5, {**INVOICE, "received_on": "2026-01-15"})
        invoice, payment = entries_of(Kind.INVOICES, line)
        assert invoice == Entry("2026-01-02", 0, 5, INVOICE)
        assert (payment.day, payment.rank, payment.line) == ("2026-01-15", 2, 5)
        assert payment.fields["payment_ref"] == "7/settled"
        assert "issued_on" not in payment.fields

    def test_put_a_payment_in_advance_behind_its_invoice(self) -> None:
        _, payment = entries_of(Kind.INVOICES, Line(5, {**INVOICE, "received_on": "2025-12-31"}))
        assert payment.day == "2026-01-02"
        assert payment.fields["received_on"] == "2025-12-31"


class TestProfiles:
    @pytest.mark.parametrize("name", profiles.ready_profiles())
    def test_that_come_with_us_know_our_fields_and_all_that_are_needed(self, name: str) -> None:
        ready = profiles.load(name)
        others = {Kind.STATEMENTS, Kind.REPORTS, Kind.COVERS, Kind.INTEREST_RATES}
        assert not any(ready.rules_of(kind) for kind in others), "an ERP does not export what others say"
        for kind in set(Kind) - others:
            fields, rules = FIELDS[kind], ready.rules_of(kind)
            assert rules.keys() <= fields.keys()
            assert {field for field, spec in fields.items() if spec.required} <= rules.keys()

    def test_are_texts_whatever_they_look_like(self) -> None:
        rule = parse("customers: {country: {constant: NO}, customer_id: {constant: 007}}").customers
        assert (rule["country"].constant, rule["customer_id"].constant) == ("NO", "007")

    @pytest.mark.parametrize(
        ("yaml", "said"),
        [
            ("dates: tomorrow", "dates"),
            ("encoding: klingon", "encoding"),
            ("decimals: 12", "decimals"),
            ("invoices: {amount: {column: A, constant: B}}", "give one of"),
            ("colour: red", "colour"),
            ("a: [", "not YAML"),
        ],
    )
    def test_that_are_wrong_say_where(self, yaml: str, said: str) -> None:
        with pytest.raises(ProfileInvalid, match=said):
            parse(yaml)

    def test_can_be_changed_by_flags(self) -> None:
        changed = profiles.load("odoo").with_rules(Kind.FX_RATES, {}, delimiter=";")
        assert isinstance(changed, Profile)
        assert changed.delimiter == ";"
        assert changed.fx_rates.keys() == profiles.load("odoo").fx_rates.keys()


INVOICE = {"invoice_no": "7", "customer_id": "C", "amount": "5.00", "currency": "CNY", "issued_on": "2026-01-02"}
