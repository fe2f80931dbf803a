"""From a line to what the API would have been asked: entries in the order of their days, and the requests of entries.

Requests are made by the wire formats of the API, so that a file can say nothing that a caller could not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from app.cli.imports import credit_file
from app.cli.imports.profile import Kind
from app.cli.imports.reading import Line, Skipped
from app.cli.imports.sorting import Entry
from app.domains.customers.core.customer import ContactDetails, Particulars
from app.domains.customers.schemas import CustomerIn
from app.domains.dunning.core.interest import ReferenceRate
from app.domains.dunning.schemas.law import RateIn
from app.domains.exposure.core.limits import LimitKind, LimitScope
from app.domains.exposure.schemas import FxRatesIn, LimitIn
from app.domains.orders.core.orders import AcceptedOrder
from app.domains.orders.schemas import OrderIn
from app.domains.receivables.core.items import ItemKind
from app.domains.receivables.core.requests import InvoiceRequest, PaymentRequest
from app.domains.receivables.schemas.documents import InvoiceIn, PaymentIn
from app.infra.http.fields import BusinessDay, CurrencyCode, Reference, SegmentName, Wire

MAIN: Final = "main"

FIRST: Final = 0
"""The rank of what others of the same day may refer to: customers without parents, own limits, invoices."""
SECOND: Final = 1
"""The rank of what refers to it: customers with parents, group limits, credit notes."""
SETTLING: Final = 2
"""The rank of payments."""

SETTLED_SUFFIX: Final = "/settled"

DAY_OF: Final = {
    Kind.STATEMENTS: "period_end",
    Kind.REPORTS: "reported_on",
    Kind.COVERS: "valid_from",
    Kind.INTEREST_RATES: "valid_from",
}
"""The field with the day that a line of the credit file, or a reference rate, belongs to."""

NAMED_BY: Final = {
    Kind.STATEMENTS: ("customer_id", "period_end"),
    Kind.COVERS: ("customer_id", "segment", "cover_ref"),
    Kind.INTEREST_RATES: ("reference", "valid_from"),
}
"""What names a thing that a line replaces as a whole: no two lines of a file may speak of the same."""


@dataclass(frozen=True, slots=True)
class CustomerRequest:
    """A customer, and the account it is to have (none without a currency)."""

    customer_id: str
    particulars: Particulars
    contacts: Sequence[ContactDetails]
    segment: str
    currency: str | None


@dataclass(frozen=True, slots=True)
class LimitRequest:
    """A limit set outright; `currency`, where the line names one, has to be the account's."""

    customer_id: str
    segment: str
    scope: LimitScope
    kind: LimitKind
    amount: Decimal | None
    currency: str | None
    valid_from: date | None
    valid_until: date | None
    temporary: bool
    reason: str


@dataclass(frozen=True, slots=True)
class RateRequest:
    """One rate of one day: 1 `base` is `rate` of `currency`."""

    on: date
    base: str
    currency: str
    rate: Decimal


Request = (
    CustomerRequest
    | LimitRequest
    | RateRequest
    | AcceptedOrder
    | InvoiceRequest
    | PaymentRequest
    | credit_file.StatementRequest
    | credit_file.ReportRequest
    | credit_file.CoverRequest
    | ReferenceRate
)


def entries_of(kind: Kind, line: Line) -> list[Entry]:
    """What a line asks to be entered, with the day it belongs to: for a settled invoice also its payment.

    A payment that came before its invoice is entered after it. Raises `Skipped` for a settled credit note: the invoice
    it was used for is entered as paid, so nothing is left of either.
    """
    fields = line.fields
    if kind is Kind.INVOICES:
        return _invoice_entries(line)
    if kind is Kind.PAYMENTS:
        return [Entry(fields["received_on"], SETTLING, line.number, fields)]
    if kind is Kind.CUSTOMERS:
        return [Entry("", SECOND if "parent_id" in fields else FIRST, line.number, fields)]
    if kind is Kind.LIMITS:
        rank = SECOND if fields.get("scope") == LimitScope.GROUP else FIRST
        return [Entry(fields.get("valid_from", ""), rank, line.number, fields)]
    return [Entry(fields.get(DAY_OF.get(kind, "date"), ""), FIRST, line.number, fields)]


def name_of(kind: Kind, line: Line) -> tuple[str, ...] | None:
    """What names the thing that a line replaces as a whole; null where lines add up."""
    if kind not in NAMED_BY:
        return None
    return tuple(line.fields.get(field, MAIN) for field in NAMED_BY[kind])


def _invoice_entries(line: Line) -> list[Entry]:
    fields = dict(line.fields)
    received_on, payment_ref = fields.pop("received_on", None), fields.pop("payment_ref", None)
    is_credit = fields.get("kind") == ItemKind.CREDIT_NOTE
    if is_credit and received_on is not None:
        raise Skipped
    invoice = Entry(fields["issued_on"], SECOND if is_credit else FIRST, line.number, fields)
    if received_on is None:
        return [invoice]
    kept = ("customer_id", "segment", "amount", "currency", "fx_rate", "invoice_no")
    payment = {name: fields[name] for name in kept if name in fields}
    payment["payment_ref"] = payment_ref or fields["invoice_no"] + SETTLED_SUFFIX
    payment["received_on"] = received_on
    return [invoice, Entry(max(received_on, fields["issued_on"]), SETTLING, line.number, payment)]


def request_of(kind: Kind, entry: Entry) -> Request:
    """What the API would have been asked. Raises `ValidationError` or a `Refusal` when it would refuse to read it."""
    if entry.rank == SETTLING:
        return _payment(entry.fields)
    return _REQUESTS[kind](entry.fields)


def _invoice(fields: Mapping[str, str]) -> InvoiceRequest:
    return InvoiceIn.model_validate(_with_whole(fields, "net_days")).request()


def _payment(fields: Mapping[str, str]) -> PaymentRequest:
    said: dict[str, Any] = dict(fields)
    invoice_no, allocated, discount = (said.pop(name, None) for name in ("invoice_no", "allocated", "discount"))
    if invoice_no is not None:
        line = {"invoice_no": invoice_no, "amount": allocated or said["amount"]}
        said["allocations"] = [line if discount is None else {**line, "discount": discount}]
    return PaymentIn.model_validate(said).request()


def _order(fields: Mapping[str, str]) -> AcceptedOrder:
    return OrderIn.model_validate(_with_whole(fields, "reservation_days")).accepted()


class _AccountLine(Wire):
    """What a line says beside the body of a request: whose account."""

    customer_id: Reference
    segment: SegmentName = MAIN
    currency: CurrencyCode | None = None


class _LimitLine(_AccountLine):
    scope: LimitScope = LimitScope.OWN


class _RateLine(Wire):
    date: BusinessDay


def _customer(fields: Mapping[str, str]) -> CustomerRequest:
    said = dict(fields)
    account = _AccountLine.model_validate(_taken(said, "customer_id", "segment", "currency"))
    registration = _renamed(_taken(said, "registration_scheme", "registration_value"), "registration_")
    contact = _renamed({name: said.pop(name) for name in list(said) if name.startswith("contact_")}, "contact_")
    terms = _renamed(_taken(said, "terms_kind", "net_days", "due_from", "discount_percent", "discount_days"), "terms_")
    body: dict[str, Any] = dict(said)
    if registration:
        body["registration"] = {"scheme": "OTHER", **registration}
    if contact:
        body["contacts"] = [{"role": "finance", "name": fields["name"], **contact}]
    if terms:
        body["payment_terms"] = {"kind": "account", **_with_whole(terms, "net_days", "discount_days")}
    found = CustomerIn.model_validate(body)
    return CustomerRequest(
        account.customer_id, found.particulars(), found.contact_details(), account.segment, account.currency
    )


def _limit(fields: Mapping[str, str]) -> LimitRequest:
    said: dict[str, Any] = dict(fields)
    account = _LimitLine.model_validate(_taken(said, "customer_id", "segment", "currency", "scope"))
    kind = LimitKind.GRANTED if "amount" in said else None
    defaults = {"kind": kind, "reason": "imported", "temporary": False}
    if "temporary" in said:
        said["temporary"] = said["temporary"] == "true"
    found = LimitIn.model_validate({**defaults, **said})
    return LimitRequest(
        account.customer_id,
        account.segment,
        account.scope,
        found.kind,
        found.amount,
        account.currency,
        found.valid_from,
        found.valid_until,
        found.temporary,
        found.reason,
    )


def _rate(fields: Mapping[str, str]) -> RateRequest:
    day = _RateLine.model_validate({"date": fields["date"]}).date
    found = FxRatesIn.model_validate({"base": fields["base"], "rates": {fields["currency"]: fields["rate"]}})
    return RateRequest(day, found.base, fields["currency"], found.rates[fields["currency"]])


class _ReferenceLine(Wire):
    reference: Reference
    valid_from: BusinessDay


def _interest_rate(fields: Mapping[str, str]) -> ReferenceRate:
    said = dict(fields)
    line = _ReferenceLine.model_validate(_taken(said, "reference", "valid_from"))
    found = RateIn.model_validate(said)
    return ReferenceRate(line.reference, line.valid_from, found.percent, found.source or "")


_REQUESTS: Final[Mapping[Kind, Callable[[Mapping[str, str]], Request]]] = {
    Kind.CUSTOMERS: _customer,
    Kind.LIMITS: _limit,
    Kind.ORDERS: _order,
    Kind.INVOICES: _invoice,
    Kind.PAYMENTS: _payment,
    Kind.FX_RATES: _rate,
    Kind.STATEMENTS: credit_file.statement,
    Kind.REPORTS: credit_file.report,
    Kind.COVERS: credit_file.cover,
    Kind.INTEREST_RATES: _interest_rate,
}


def _with_whole(fields: Mapping[str, str], *names: str) -> dict[str, Any]:
    """The fields with whole numbers for the texts of `names`, where they are."""
    found: dict[str, Any] = dict(fields)
    for name in names:
        if name in found:
            found[name] = int(found[name])
    return found


def _taken(said: dict[str, Any], *names: str) -> dict[str, Any]:
    """The members called `names`, taken out of `said`."""
    return {name: said.pop(name) for name in names if name in said}


def _renamed(fields: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in fields.items()}
