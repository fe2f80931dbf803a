"""A valid body for every operation that takes one, against the company of `seeds`; and ways to spoil its fields."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

from tests.proof.seeds import FUTURE, TODAY

Json = dict[str, Any]
Where = tuple[str | int, ...]

_REASON: Final = {"reason": "because"}
_LIMIT: Final = {"kind": "granted", "amount": "10", "valid_from": TODAY, "valid_until": FUTURE, **_REASON}
_CHECK: Final = {
    "customer_id": "C-1",
    "segment": "main",
    "order_ref": "O-9",
    "amount": "10.00",
    "currency": "CNY",
    "checkpoint": "order",
    "requested_ship_on": FUTURE,
    "payment_terms": {
        "kind": "account",
        "net_days": 30,
        "due_from": "invoice",
        "discount_percent": "2",
        "discount_days": 10,
    },
    "reserve": True,
    "reservation_days": 10,
    "replaces": [{"order_ref": "O-2", "amount": "1.00"}],
    "on_behalf_of": "Li Wei",
    "ship_to": "Shanghai",
}
_INVOICE: Final = {
    "invoice_no": "I-9",
    "customer_id": "C-1",
    "segment": "main",
    "kind": "invoice",
    "amount": "10.00",
    "currency": "CNY",
    "issued_on": TODAY,
    "due_on": FUTURE,
    "fx_rate": "1",
    "orders": [{"order_ref": "O-2", "amount": "5.00", "complete": False}],
    "discount_percent": "2",
    "discount_days": 10,
}
_PAYMENT: Final = {
    "payment_ref": "P-9",
    "customer_id": "C-1",
    "segment": "main",
    "amount": "10.00",
    "currency": "CNY",
    "received_on": TODAY,
    "fx_rate": "1",
    "clears_on": FUTURE,
    "remittance": "INV-2 thank you",
    "allocations": [{"invoice_no": "INV-2", "amount": "1.00", "discount": "0.50", "settles": "1.00"}],
    "allocate": "none",
}
_REFUND: Final = {"amount": "1.00", "refunded_on": TODAY, **_REASON}
_DRAFT: Final = {"document": {"order_checks": {}}, "note": "a draft"}
_ACCOUNT: Final = "/v1/customers/{customer_id}/accounts/{segment}"
_PROMISE: Final = {"amount": "10.00", "currency": "CNY", "promised_on": FUTURE, "invoices": ["OLD-1"]}
_CUSTOMER: Final = "/v1/customers/{customer_id}"
_MONEY: Final = {"amount": "10.00", "currency": "CNY"}
_REPORT: Final = {
    "agency": "D&B",
    "report_ref": "R-9",
    "reported_on": TODAY,
    "score": "2",
    "scale": {"min": "1", "max": "4", "higher_is_better": False},
    "rating": "A",
    "probability_of_default": "0.01",
    "recommended_limit": _MONEY,
}
_REFERENCE: Final = {
    "supplier": "Blue Moon",
    "reported_on": TODAY,
    "credit_limit": {**_MONEY},
    "highest_balance": {**_MONEY},
    "past_due": {**_MONEY},
    "terms_days": 30,
    "known_since": TODAY,
    "note": "pays",
}
_ADVERSE: Final = {
    "kind": "litigation",
    "occurred_on": TODAY,
    "severity": 2,
    "amount": _MONEY,
    "description": "sued",
    "resolved_on": TODAY,
    "source": "court",
}
_ANSWERED: Final = {
    "segment": "main",
    "answered_on": TODAY,
    "source": "visit",
    "self_declared": False,
    "note": "seen",
}

BODIES: Final[dict[tuple[str, str], Json]] = {
    ("POST", "/v1/dunning-runs"): {"segment": "main", "run_on": TODAY, "dry_run": True},
    ("POST", "/v1/dunning-runs/{dunning_run_id}/withdraw"): _REASON,
    ("POST", "/v1/dunning-notices/{notice_id}/change"): {"channels": ["letter", "call"], "note": "as agreed"},
    ("POST", "/v1/dunning-notices/{notice_id}/drop"): _REASON,
    ("POST", "/v1/dunning-notices/{notice_id}/bounced"): _REASON,
    ("POST", _CUSTOMER + "/promises"): {"segment": "main", **_PROMISE},
    ("POST", _CUSTOMER + "/dunning-stops"): {
        "segment": "main",
        "until": FUTURE,
        "kind": "manual",
        "invoice_no": "INV-2",
        **_REASON,
    },
    ("POST", "/v1/dunning-stops/{stop_id}/lift"): _REASON,
    ("POST", "/v1/dunning-claims/{claim_id}/waive"): _REASON,
    ("POST", "/v1/collection-tasks/{task_id}/complete"): {
        "outcome": "promised",
        "note": "on Monday",
        "next_on": FUTURE,
        "promise": _PROMISE,
    },
    ("PUT", "/v1/statutory-rates/{reference}/{valid_from}"): {"percent": "1.27"},
    ("POST", _CUSTOMER + "/assessments"): {"segment": "main"},
    ("POST", "/v1/assessments/batch"): {
        "segment": "main",
        "stale": False,
        "items": [{"customer_id": "C-1"}],
    },
    ("PUT", _CUSTOMER + "/financial-statements/{period_end}"): {
        "currency": "CNY",
        "months": 12,
        "audited": True,
        "source": "customer",
        "figures": {"revenue": "1000"},
    },
    ("POST", _CUSTOMER + "/credit-reports"): _REPORT,
    ("PUT", _CUSTOMER + "/credit-reports/{id}"): _REPORT,
    ("POST", _CUSTOMER + "/credit-reports/fetch"): {"segment": "main"},
    ("POST", _CUSTOMER + "/trade-references"): _REFERENCE,
    ("PUT", _CUSTOMER + "/trade-references/{id}"): _REFERENCE,
    ("POST", _CUSTOMER + "/adverse-events"): _ADVERSE,
    ("PUT", _CUSTOMER + "/adverse-events/{id}"): _ADVERSE,
    ("POST", _CUSTOMER + "/credit-records/{id}/retract"): _REASON,
    ("PUT", _CUSTOMER + "/covers/{cover_ref}"): {
        "segment": "main",
        "provider": "Insurer",
        "kind": "insurance",
        "status": "approved",
        "provider_code": "DC01",
        **_MONEY,
        "insured_percent": "90",
        "valid_from": TODAY,
        "valid_until": FUTURE,
    },
    ("PUT", _CUSTOMER + "/questionnaire-answers"): {**_ANSWERED, "answers": {"character": 50}},
    ("PUT", _CUSTOMER + "/questionnaire-answers/{item}"): {**_ANSWERED, "answer": 50},
    ("POST", "/v1/credit-checks"): _CHECK,
    ("POST", "/v1/credit-checks/batch"): {"items": [_CHECK]},
    ("POST", "/v1/credit-checks/{check_id}/release"): {**_REASON, "amount": "1.00", "expires_on": FUTURE},
    ("POST", "/v1/credit-checks/{check_id}/notes"): {"note": "called them"},
    ("POST", "/v1/credit-checks/{check_id}/refer"): {"to": "Li Wei", "note": "yours"},
    ("POST", "/v1/credit-checks/{check_id}/reject"): _REASON,
    ("POST", "/v1/orders"): {
        "customer_id": "C-1",
        "segment": "main",
        "order_ref": "O-8",
        "currency": "CNY",
        "approved": "10.00",
        "shipped": "5.00",
        "invoiced": "1.00",
        "requested_ship_on": FUTURE,
        "reservation_days": 5,
        "fx_rate": "1",
    },
    ("POST", "/v1/orders/{order_ref}/shipments"): {"shipment_ref": "S-9", "amount": "1.00", "already_left": False},
    ("POST", "/v1/orders/{order_ref}/shipments/{shipment_ref}/reverse"): {**_REASON, "reorder": False},
    ("POST", "/v1/orders/{order_ref}/cancel"): _REASON,
    ("POST", "/v1/orders/{order_ref}/close"): _REASON,
    ("POST", "/v1/invoices"): _INVOICE,
    ("POST", "/v1/invoices/batch"): {"items": [_INVOICE]},
    ("POST", "/v1/invoices/{invoice_no}/cancel"): _REASON,
    ("POST", "/v1/invoices/{invoice_no}/allocate"): {"allocations": [{"invoice_no": "INV-2", "amount": "1.00"}]},
    ("POST", "/v1/payments"): _PAYMENT,
    ("POST", "/v1/payments/batch"): {"items": [_PAYMENT]},
    ("POST", "/v1/payments/{payment_ref}/allocate"): {
        "allocations": [{"invoice_no": "INV-2", "amount": "1.00", "discount": "0.50"}],
        "allocate": "oldest_first",
    },
    ("POST", "/v1/payments/{payment_ref}/reverse"): {
        **_REASON,
        "fee": {"amount": "5.00", "currency": "CNY", "invoice_no": "FEE-9"},
    },
    ("POST", "/v1/payments/{payment_ref}/refund"): {"refund_ref": "R-9", **_REFUND},
    ("POST", "/v1/invoices/{invoice_no}/refund"): {"refund_ref": "R-8", **_REFUND},
    ("POST", "/v1/invoices/{invoice_no}/disputes"): {"amount": "1.00", "reason": "price", "note": "too dear"},
    ("POST", "/v1/invoices/{invoice_no}/disputes/{dispute_id}/resolve"): {
        "outcome": "upheld",
        "credit_note_no": "CN-9",
        "note": "they are right",
    },
    ("POST", "/v1/invoices/{invoice_no}/write-off"): {"amount": "1.00", "category": "insolvency", **_REASON},
    ("POST", "/v1/invoices/{invoice_no}/recover"): {"amount": "1.00", **_REASON},
    ("POST", "/v1/invoices/{invoice_no}/instalments"): {
        "instalments": [{"due_on": TODAY, "amount": "1.00"}],
        **_REASON,
    },
    ("PUT", "/v1/customers/{customer_id}"): {
        "name": "Red Star",
        "legal_name": "Red Star Ltd",
        "country": "CN",
        "language": "zh-CN",
        "registration": {"scheme": "CN-USCC", "value": "91110000600037341L"},
        "industry": "steel",
        "founded_on": "1990-01-01",
        "size": "small",
        "profile": "default",
        "payment_terms": {"kind": "account", "net_days": 30, "due_from": "invoice", "discount_percent": "2"},
        "contacts": [{"role": "dunning", "name": "Li Wei", "email": "li@example.com", "phone": "+86 10"}],
    },
    ("POST", "/v1/customers/{customer_id}/contacts/{contact_id}/erase"): {"ground": "objection"},
    ("POST", "/v1/audits"): {
        "segment": "main",
        "from": TODAY,
        "to": TODAY,
        "sizes": {"credit_check": 5, "limit": 5, "release": 0, "write_off": 0},
        "seed": "seed-1",
    },
    ("POST", "/v1/audits/{audit_id}/items/{position}/finding"): {"finding": "exception", "note": "too much"},
    ("POST", "/v1/audits/{audit_id}/sign-off"): {"conclusion": "as it should be"},
    ("PUT", _ACCOUNT): {"currency": "CNY"},
    ("POST", f"{_ACCOUNT}/limit"): _LIMIT,
    ("POST", f"{_ACCOUNT}/group-limit"): _LIMIT,
    ("POST", f"{_ACCOUNT}/hold"): {"kind": "soft", **_REASON},
    ("POST", f"{_ACCOUNT}/unhold"): _REASON,
    ("PUT", "/v1/customers/{customer_id}/policy-override"): {
        "segment": "main",
        "patch": {},
        "valid_until": FUTURE,
        **_REASON,
    },
    ("PUT", "/v1/fx-rates/{date}"): {"base": "EUR", "rates": {"CNY": "7.81"}},
    ("PUT", "/v1/segments/{segment}"): {"name": "Europe", "currency": "EUR", "time_zone": "Europe/Berlin"},
    ("POST", "/v1/policies/{segment}/versions"): _DRAFT,
    ("PUT", "/v1/policies/{segment}/versions/{version}"): _DRAFT,
    ("POST", "/v1/policies/{segment}/versions/{version}/activate"): {"effective_at": "2026-03-03T00:00:00Z"},
    ("POST", "/v1/limit-requests"): {
        "customer_id": "C-1",
        "segment": "main",
        "amount": "10.00",
        "currency": "CNY",
        "valid_from": TODAY,
        "valid_until": FUTURE,
        "temporary": True,
        "justification": "a large order",
        "on_behalf_of": "Li Wei",
        "acknowledge_overdrawn": True,
    },
    ("POST", "/v1/limit-requests/{request_id}/approve"): {
        "amount": "1.00",
        "note": "sound",
        "acknowledge_overdrawn": True,
    },
    ("POST", "/v1/limit-requests/{request_id}/reject"): {"note": "too risky"},
    ("POST", "/v1/limit-requests/{request_id}/accept"): {"acknowledge_overdrawn": True},
    ("POST", "/v1/deputies"): {
        "deputy": "Li Wei",
        "segment": "main",
        "valid_from": TODAY,
        "valid_until": FUTURE,
        **_REASON,
    },
    ("POST", "/v1/reviews/{review_id}/complete"): {
        "assessment_id": "019cadc6-9a80-73d0-a243-dadc9da6462f",
        "outcome": "keep",
        "note": "as before",
    },
    ("POST", "/v1/api-keys"): {
        "name": "somebody",
        "kind": "person",
        "role": "credit_manager",
        "scopes": ["orders:check"],
        "authority": {"amount": "10.00", "currency": "CNY"},
        "segments": ["main"],
        "expires_at": "2030-01-01T00:00:00Z",
    },
    ("POST", "/v1/api-keys/{key_id}/rotate"): {"overlap_seconds": 60},
}

NOWHERE: Final = "00000000-0000-7000-8000-000000000000"
"""An id that nothing has."""

NAMES: Final = {
    "customer_id": "C-1",
    "segment": "main",
    "order_ref": "O-1",
    "shipment_ref": "S-1",
    "invoice_no": "CN-1",
    "payment_ref": "P-1",
    "date": TODAY,
    "version": "2",
    "position": "1",
    "reference": "DE_BASE",
    "valid_from": TODAY,
    "period_end": TODAY,
    "cover_ref": "POL-1",
    "item": "character",
}
"""What the parameters of paths stand for, where they are not ids that the service gave."""

WRONG: Final[dict[str, Any]] = {
    "list": [],
    "object": {"a": 1},
    "boolean": True,
    "float": 1.5,
    "integer": 123_456,
    "huge integer": 10**40,
    "negative": -1,
    "text": "\u2603" * 3000,
    "NUL": "a\u0000b",
    "empty": "",
    "null": None,
}
"""Values, one of each JSON type and some that no field takes."""

OPEN: Final = frozenset({"document", "patch", "items", "answers"})
"""Members that hold any document: what is in them is judged by other rules than the schema's."""


def spoiled(body: Json) -> Iterator[tuple[Where, str, Json]]:
    """Every field of `body` with every wrong value in its place: where, which, and the body."""
    for where, value in _fields(body, ()):
        for name, wrong in WRONG.items():
            if not fits(value, wrong, where):
                yield where, name, _with(body, where, wrong)


def fits(value: Any, wrong: Any, where: Where) -> bool:
    """Whether the field might take the wrong value after all: the same type, or nothing where nothing is needed."""
    if wrong is None:
        return True  # most members are optional; those that are not have a test of their own
    if isinstance(value, bool) or isinstance(wrong, bool):
        return isinstance(value, bool) and isinstance(wrong, bool)
    if isinstance(value, dict | list):
        return type(wrong) is type(value) and (isinstance(value, list) or where[-1] in OPEN)
    if isinstance(value, int) or _is_amount(value):
        least = -(10**6) if where[-1] in _SIGNED else 0
        return type(wrong) is int and least <= wrong < 10**6 and where[-1] not in _BOUNDED
    return False


_BOUNDED: Final = frozenset(
    {
        "net_days",
        "discount_days",
        "reservation_days",
        "discount_percent",
        "months",
        "severity",
        "insured_percent",
        "terms_days",
        "answer",
    }
)

_SIGNED: Final = frozenset({"revenue", "score", "min", "max"})


def _is_amount(value: Any) -> bool:
    return isinstance(value, str) and value.replace(".", "").isdigit()


def _fields(node: Any, where: Where) -> Iterator[tuple[Where, Any]]:
    if where:
        yield where, node
    if where and where[-1] in OPEN:
        return
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, child in children:
        yield from _fields(child, (*where, name))


def _with(body: Json, where: Where, wrong: Any) -> Json:
    copy = deepcopy(body)
    node: Any = copy
    for name in where[:-1]:
        node = node[name]
    node[where[-1]] = wrong
    return copy


def pointer(where: Where) -> str:
    """`where` as a JSON pointer."""
    return "".join(f"/{part}" for part in where)
