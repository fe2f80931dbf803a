"""The fields that each kind of file can have: their form, and which of them a line cannot do without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from app.cli.imports.profile import Kind
from app.domains.credit_data.core.statements import FIGURES


class Form(Enum):
    """How the text of a field is read."""

    TEXT = auto()
    DAY = auto()
    NUMBER = auto()
    WHOLE = auto()
    FLAG = auto()


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a line."""

    form: Form = Form.TEXT
    required: bool = False


_TEXT: Final = Field()
_DAY: Final = Field(Form.DAY)
_NUMBER: Final = Field(Form.NUMBER)
_WHOLE: Final = Field(Form.WHOLE)
_FLAG: Final = Field(Form.FLAG)
_NAMED: Final = Field(required=True)
_DATED: Final = Field(Form.DAY, required=True)
_COUNTED: Final = Field(Form.NUMBER, required=True)

FIELDS: Final[Mapping[Kind, Mapping[str, Field]]] = {
    Kind.CUSTOMERS: {
        "customer_id": _NAMED,
        "name": _NAMED,
        "country": _NAMED,
        "legal_name": _TEXT,
        "language": _TEXT,
        "registration_scheme": _TEXT,
        "registration_value": _TEXT,
        "industry": _TEXT,
        "founded_on": _DAY,
        "size": _TEXT,
        "parent_id": _TEXT,
        "profile": _TEXT,
        "terms_kind": _TEXT,
        "net_days": _WHOLE,
        "due_from": _TEXT,
        "discount_percent": _NUMBER,
        "discount_days": _WHOLE,
        "contact_role": _TEXT,
        "contact_name": _TEXT,
        "contact_email": _TEXT,
        "contact_phone": _TEXT,
        "contact_address": _TEXT,
        "segment": _TEXT,
        "currency": _TEXT,
    },
    Kind.LIMITS: {
        "customer_id": _NAMED,
        "segment": _TEXT,
        "scope": _TEXT,
        "kind": _TEXT,
        "amount": _NUMBER,
        "currency": _TEXT,
        "valid_from": _DAY,
        "valid_until": _DAY,
        "temporary": _FLAG,
        "reason": _TEXT,
    },
    Kind.ORDERS: {
        "order_ref": _NAMED,
        "customer_id": _NAMED,
        "segment": _TEXT,
        "currency": _NAMED,
        "approved": _COUNTED,
        "shipped": _NUMBER,
        "invoiced": _NUMBER,
        "requested_ship_on": _DAY,
        "reservation_days": _WHOLE,
        "fx_rate": _NUMBER,
    },
    Kind.INVOICES: {
        "invoice_no": _NAMED,
        "customer_id": _NAMED,
        "segment": _TEXT,
        "kind": _TEXT,
        "amount": _COUNTED,
        "currency": _NAMED,
        "issued_on": _DATED,
        "due_on": _DAY,
        "net_days": _WHOLE,
        "fx_rate": _NUMBER,
        "order_ref": _TEXT,
        "related_invoice_no": _TEXT,
        "received_on": _DAY,
        "payment_ref": _TEXT,
    },
    Kind.PAYMENTS: {
        "payment_ref": _NAMED,
        "customer_id": _NAMED,
        "segment": _TEXT,
        "amount": _COUNTED,
        "currency": _NAMED,
        "received_on": _DATED,
        "fx_rate": _NUMBER,
        "invoice_no": _TEXT,
        "allocated": _NUMBER,
        "discount": _NUMBER,
        "allocate": _TEXT,
    },
    Kind.FX_RATES: {
        "date": _DATED,
        "base": _NAMED,
        "currency": _NAMED,
        "rate": _COUNTED,
    },
    Kind.STATEMENTS: {
        "customer_id": _NAMED,
        "period_end": _DATED,
        "currency": _NAMED,
        "months": _WHOLE,
        "audited": _FLAG,
        "source": _TEXT,
        **dict.fromkeys(FIGURES, _NUMBER),
    },
    Kind.REPORTS: {
        "customer_id": _NAMED,
        "agency": _NAMED,
        "report_ref": _NAMED,
        "reported_on": _DATED,
        "score": _NUMBER,
        "scale_min": _NUMBER,
        "scale_max": _NUMBER,
        "higher_is_better": _FLAG,
        "rating": _TEXT,
        "probability_of_default": _NUMBER,
        "recommended_limit": _NUMBER,
        "recommended_currency": _TEXT,
    },
    Kind.COVERS: {
        "customer_id": _NAMED,
        "cover_ref": _NAMED,
        "segment": _TEXT,
        "provider": _NAMED,
        "kind": _NAMED,
        "status": _NAMED,
        "provider_code": _TEXT,
        "amount": _COUNTED,
        "currency": _NAMED,
        "insured_percent": _COUNTED,
        "valid_from": _DATED,
        "valid_until": _DAY,
    },
    Kind.INTEREST_RATES: {
        "reference": _NAMED,
        "valid_from": _DATED,
        "percent": _COUNTED,
        "source": _TEXT,
    },
}

REFERENCE: Final[Mapping[Kind, str]] = {
    Kind.CUSTOMERS: "customer_id",
    Kind.LIMITS: "customer_id",
    Kind.ORDERS: "order_ref",
    Kind.INVOICES: "invoice_no",
    Kind.PAYMENTS: "payment_ref",
    Kind.FX_RATES: "currency",
    Kind.STATEMENTS: "customer_id",
    Kind.REPORTS: "report_ref",
    Kind.COVERS: "cover_ref",
    Kind.INTEREST_RATES: "reference",
}
"""The field that people know a line of each kind by."""
