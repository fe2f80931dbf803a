"""Who may do what, said once more by hand: one row for each operation of the OpenAPI document.

A row is the letters of the roles that an operation opens to, and what it does with a segment that the caller does not
see. The test compares the program with it, so a scope that opens more than was meant stands out, and a new route fails
until somebody has said whom it is for.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from app.support.auth.core.scopes import Role
from tests.proof.seeds import TODAY

LETTERS: Final = {
    "D": Role.ORDER_DESK,
    "R": Role.ACCOUNTS_RECEIVABLE,
    "C": Role.COLLECTOR,
    "A": Role.CREDIT_ANALYST,
    "M": Role.CREDIT_MANAGER,
    "F": Role.FINANCE_DIRECTOR,
    "U": Role.AUDITOR,
    "I": Role.INTEGRATION,
    "K": Role.ADMINISTRATOR,
}
"""`-` is nobody but `admin`."""


class Reach(StrEnum):
    """What an operation does with the segments that its caller does not see."""

    NAMES = "names"
    """The request names a segment, or a thing of one: another's is 404."""
    BATCH = "batch"
    """Each item names one: another's is 404 among the results."""
    LISTS = "lists"
    """It shows the caller's own segments only."""
    HOUSE = "house"
    """What it is about belongs to no segment."""


BODIES: Final[dict[str, dict[str, Any]]] = {
    "PUT /v1/customers/{customer_id}/covers/{cover_ref}": {
        "provider": "Atlas",
        "kind": "insurance",
        "status": "approved",
        "amount": "100",
        "currency": "CNY",
        "insured_percent": "90",
        "valid_from": TODAY,
    },
    "POST /v1/customers/{customer_id}/credit-reports/fetch": {},
    "POST /v1/assessments/batch": {"segment": "main", "stale": True},
    "PUT /v1/customers/{customer_id}/questionnaire-answers": {"answers": {"management": 3}},
    "PUT /v1/customers/{customer_id}/questionnaire-answers/{item}": {"answer": 3},
}
"""Bodies of operations that `bodies.BODIES` has none for."""

QUERIES: Final[dict[str, dict[str, str]]] = {
    "GET /v1/policies/{segment}/versions/{version}/diff": {"against": "1"},
}
"""Query parameters that an operation can't do without."""

ROWS: Final[dict[str, str]] = {
    "DELETE /v1/api-keys/{key_id}": "K house",
    "GET /v1/accounts": "DRCAMFUI lists",
    "GET /v1/api-keys": "K house",
    "GET /v1/assessments/batch": "RCAMFU lists",
    "GET /v1/assessments/batch/{run_id}": "RCAMFU names",
    "GET /v1/assessments/{assessment_id}": "RCAMFU names",
    "GET /v1/assessments/{assessment_id}/replay": "RCAMFU names",
    "GET /v1/audits": "MFU names",
    "GET /v1/audits/{audit_id}": "MFU house",
    "GET /v1/collection-tasks": "RCAMFU names",
    "GET /v1/control/conflicts": "MFUK house",
    "GET /v1/credit-checks": "DRCAMFUI names",
    "GET /v1/credit-checks/{check_id}": "DRCAMFUI names",
    "GET /v1/credit-checks/{check_id}/notes": "RCAMFU names",
    "GET /v1/credit-checks/{check_id}/replay": "DRCAMFUI names",
    "GET /v1/customers": "DRCAMFUI house",
    "GET /v1/customers/{customer_id}": "DRCAMFUI house",
    "GET /v1/customers/{customer_id}/accounts": "DRCAMFUI lists",
    "GET /v1/customers/{customer_id}/accounts/{segment}": "DRCAMFUI names",
    "GET /v1/customers/{customer_id}/accounts/{segment}/ledger": "DRCAMFUI names",
    "GET /v1/customers/{customer_id}/accounts/{segment}/limits": "DRCAMFUI names",
    "GET /v1/customers/{customer_id}/adverse-events": "RCAMFUI house",
    "GET /v1/customers/{customer_id}/adverse-events/{id}": "RCAMFUI house",
    "GET /v1/customers/{customer_id}/aging": "RCAMFUI names",
    "GET /v1/customers/{customer_id}/assessments": "RCAMFU lists",
    "GET /v1/customers/{customer_id}/contacts": "AI house",
    "GET /v1/customers/{customer_id}/covers": "RCAMFUI names",
    "GET /v1/customers/{customer_id}/covers/{cover_ref}": "RCAMFUI names",
    "GET /v1/customers/{customer_id}/credit-file": "RCAMFUI names",
    "GET /v1/customers/{customer_id}/credit-records/{id}/versions": "RCAMFUI house",
    "GET /v1/customers/{customer_id}/credit-reports": "RCAMFUI house",
    "GET /v1/customers/{customer_id}/credit-reports/{id}": "RCAMFUI house",
    "GET /v1/customers/{customer_id}/dunning": "DRCAMFUI names",
    "GET /v1/customers/{customer_id}/dunning-claims": "DRCAMFUI names",
    "GET /v1/customers/{customer_id}/dunning-stops": "DRCAMFUI names",
    "GET /v1/customers/{customer_id}/effective-policy": "MFU names",
    "GET /v1/customers/{customer_id}/financial-statements": "RCAMFUI house",
    "GET /v1/customers/{customer_id}/financial-statements/{period_end}": "RCAMFUI house",
    "GET /v1/customers/{customer_id}/open-items": "RCAMFUI names",
    "GET /v1/customers/{customer_id}/payment-behaviour": "RCAMFUI names",
    "GET /v1/customers/{customer_id}/policy-override": "MFU names",
    "GET /v1/customers/{customer_id}/promises": "DRCAMFUI names",
    "GET /v1/customers/{customer_id}/questionnaire-answers": "RCAMFUI names",
    "GET /v1/customers/{customer_id}/report-orders": "RCAMFUI names",
    "GET /v1/customers/{customer_id}/report-orders/{id}": "RCAMFUI house",
    "GET /v1/customers/{customer_id}/statement": "RCAMFUI names",
    "GET /v1/customers/{customer_id}/trade-references": "RCAMFUI house",
    "GET /v1/customers/{customer_id}/trade-references/{id}": "RCAMFUI house",
    "GET /v1/deputies": "RCAMFU lists",
    "GET /v1/disputes": "RCAMFUI names",
    "GET /v1/dunning-notices": "RCAMFU names",
    "GET /v1/dunning-notices/{notice_id}": "RCAMFU names",
    "GET /v1/dunning-notices/{notice_id}/document": "RCAMFU names",
    "GET /v1/dunning-runs": "RCAMFU names",
    "GET /v1/dunning-runs/{dunning_run_id}": "RCAMFU names",
    "GET /v1/dunning-runs/{dunning_run_id}/notices": "RCAMFU names",
    "GET /v1/dunning-runs/{dunning_run_id}/skipped": "RCAMFU names",
    "GET /v1/events": "MFU lists",
    "GET /v1/fx-rates": "DRCAMFUI house",
    "GET /v1/invoices": "RCAMFUI names",
    "GET /v1/invoices/{invoice_no}": "RCAMFUI names",
    "GET /v1/invoices/{invoice_no}/disputes/{dispute_id}": "RCAMFUI names",
    "GET /v1/journal/blocks": "MFU house",
    "GET /v1/journal/verification": "MFU house",
    "GET /v1/limit-requests": "RCAMFU lists",
    "GET /v1/limit-requests/{request_id}": "RCAMFU names",
    "GET /v1/limit-requests/{request_id}/replay": "RCAMFU names",
    "GET /v1/orders": "DRCAMFUI names",
    "GET /v1/orders/{order_ref}": "DRCAMFUI names",
    "GET /v1/payments": "RCAMFUI names",
    "GET /v1/payments/{payment_ref}": "RCAMFUI names",
    "GET /v1/policies/schema": "MFU house",
    "GET /v1/policies/{segment}": "MFU names",
    "GET /v1/policies/{segment}/versions": "MFU names",
    "GET /v1/policies/{segment}/versions/{version}": "MFU names",
    "GET /v1/policies/{segment}/versions/{version}/diff": "MFU names",
    "GET /v1/refunds/{refund_ref}": "RCAMFUI names",
    "GET /v1/reports/activity": "MF names",
    "GET /v1/reports/aging": "RCAMFU names",
    "GET /v1/reports/cash-forecast": "RCAMFU names",
    "GET /v1/reviews": "RCAMFU lists",
    "GET /v1/segments": "DRCAMFUIK lists",
    "GET /v1/shipments": "DRCAMFUI names",
    "GET /v1/statutory-rates": "RCAMFU house",
    "POST /v1/api-keys": "K house",
    "POST /v1/api-keys/{key_id}/rotate": "K house",
    "POST /v1/assessments/batch": "AM names",
    "POST /v1/audits": "U names",
    "POST /v1/audits/{audit_id}/items/{position}/finding": "U house",
    "POST /v1/audits/{audit_id}/sign-off": "U house",
    "POST /v1/collection-tasks/{task_id}/complete": "CM names",
    "POST /v1/credit-checks": "DI names",
    "POST /v1/credit-checks/batch": "DI batch",
    "POST /v1/credit-checks/{check_id}/claim": "MF names",
    "POST /v1/credit-checks/{check_id}/notes": "MF names",
    "POST /v1/credit-checks/{check_id}/reevaluate": "DMFI names",
    "POST /v1/credit-checks/{check_id}/refer": "MF names",
    "POST /v1/credit-checks/{check_id}/reject": "MF names",
    "POST /v1/credit-checks/{check_id}/release": "MF names",
    "POST /v1/credit-checks/{check_id}/unclaim": "MF names",
    "POST /v1/customers/{customer_id}/accounts/{segment}/group-limit": "MF names",
    "POST /v1/customers/{customer_id}/accounts/{segment}/hold": "M names",
    "POST /v1/customers/{customer_id}/accounts/{segment}/limit": "MF names",
    "POST /v1/customers/{customer_id}/accounts/{segment}/unhold": "M names",
    "POST /v1/customers/{customer_id}/adverse-events": "AMI house",
    "POST /v1/customers/{customer_id}/assessments": "AM names",
    "POST /v1/customers/{customer_id}/contacts/{contact_id}/erase": "AI house",
    "POST /v1/customers/{customer_id}/credit-records/{id}/retract": "AMI house",
    "POST /v1/customers/{customer_id}/credit-reports": "AMI house",
    "POST /v1/customers/{customer_id}/credit-reports/fetch": "AMI names",
    "POST /v1/customers/{customer_id}/dunning-stops": "CM names",
    "POST /v1/customers/{customer_id}/policy-override/approve": "F names",
    "POST /v1/customers/{customer_id}/policy-override/reject": "F names",
    "POST /v1/customers/{customer_id}/promises": "CM names",
    "POST /v1/customers/{customer_id}/trade-references": "AMI house",
    "POST /v1/deputies": "MF names",
    "POST /v1/deputies/{deputy_id}/end": "MF names",
    "POST /v1/dunning-claims/{claim_id}/book": "CM names",
    "POST /v1/dunning-claims/{claim_id}/waive": "CM names",
    "POST /v1/dunning-notices/{notice_id}/bounced": "CM names",
    "POST /v1/dunning-notices/{notice_id}/change": "CM names",
    "POST /v1/dunning-notices/{notice_id}/drop": "CM names",
    "POST /v1/dunning-notices/{notice_id}/printed": "CM names",
    "POST /v1/dunning-runs": "CM names",
    "POST /v1/dunning-runs/{dunning_run_id}/release": "CM names",
    "POST /v1/dunning-runs/{dunning_run_id}/withdraw": "CM names",
    "POST /v1/dunning-stops/{stop_id}/lift": "CM names",
    "POST /v1/invoices": "RI names",
    "POST /v1/invoices/batch": "RI batch",
    "POST /v1/invoices/{invoice_no}/allocate": "RI names",
    "POST /v1/invoices/{invoice_no}/cancel": "RI names",
    "POST /v1/invoices/{invoice_no}/disputes": "RI names",
    "POST /v1/invoices/{invoice_no}/disputes/{dispute_id}/resolve": "RI names",
    "POST /v1/invoices/{invoice_no}/instalments": "RI names",
    "POST /v1/invoices/{invoice_no}/recover": "MF names",
    "POST /v1/invoices/{invoice_no}/refund": "RI names",
    "POST /v1/invoices/{invoice_no}/write-off": "MF names",
    "POST /v1/limit-requests": "A names",
    "POST /v1/limit-requests/{request_id}/accept": "A names",
    "POST /v1/limit-requests/{request_id}/approve": "MF names",
    "POST /v1/limit-requests/{request_id}/cancel": "A names",
    "POST /v1/limit-requests/{request_id}/reject": "MF names",
    "POST /v1/orders": "- names",
    "POST /v1/orders/{order_ref}/cancel": "DI names",
    "POST /v1/orders/{order_ref}/close": "DI names",
    "POST /v1/orders/{order_ref}/shipments": "DI names",
    "POST /v1/orders/{order_ref}/shipments/{shipment_ref}/reverse": "DI names",
    "POST /v1/payments": "RI names",
    "POST /v1/payments/batch": "RI batch",
    "POST /v1/payments/{payment_ref}/allocate": "RI names",
    "POST /v1/payments/{payment_ref}/refund": "RI names",
    "POST /v1/payments/{payment_ref}/reverse": "RI names",
    "POST /v1/policies/{segment}/versions": "M names",
    "POST /v1/policies/{segment}/versions/{version}/activate": "F names",
    "POST /v1/policies/{segment}/versions/{version}/approve": "F names",
    "POST /v1/policies/{segment}/versions/{version}/reject": "F names",
    "POST /v1/policies/{segment}/versions/{version}/submit": "M names",
    "POST /v1/promises/{promise_id}/withdraw": "CM names",
    "POST /v1/reviews/{review_id}/complete": "AMF names",
    "PUT /v1/customers/{customer_id}": "AI house",
    "PUT /v1/customers/{customer_id}/accounts/{segment}": "AI names",
    "PUT /v1/customers/{customer_id}/adverse-events/{id}": "AMI house",
    "PUT /v1/customers/{customer_id}/covers/{cover_ref}": "AMI names",
    "PUT /v1/customers/{customer_id}/credit-reports/{id}": "AMI house",
    "PUT /v1/customers/{customer_id}/financial-statements/{period_end}": "AMI house",
    "PUT /v1/customers/{customer_id}/policy-override": "M names",
    "PUT /v1/customers/{customer_id}/questionnaire-answers": "AMI names",
    "PUT /v1/customers/{customer_id}/questionnaire-answers/{item}": "AMI names",
    "PUT /v1/customers/{customer_id}/trade-references/{id}": "AMI house",
    "PUT /v1/fx-rates/{date}": "RI house",
    "PUT /v1/policies/{segment}/versions/{version}": "M names",
    "PUT /v1/segments/{segment}": "- names",
    "PUT /v1/statutory-rates/{reference}/{valid_from}": "M house",
}


def row(operation: str) -> tuple[frozenset[Role], Reach]:
    """The roles that `operation` is open to, and its reach."""
    letters, reach = ROWS[operation].split()
    return frozenset(LETTERS[letter] for letter in letters if letter != "-"), Reach(reach)


def suggested(operation: str, roles: frozenset[Role], operation_of: dict[str, Any]) -> str:
    """The row that the program as it is would have: for whoever adds a route, to be thought about."""
    letters = "".join(letter for letter, role in LETTERS.items() if role in roles) or "-"
    names = any(parameter["name"] == "segment" for parameter in operation_of.get("parameters", ()))
    return f'"{operation}": "{letters} {Reach.NAMES if names else Reach.HOUSE}",'
