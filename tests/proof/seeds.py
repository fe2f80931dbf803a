"""A small company with one of everything, so that requests find something to meet."""

from __future__ import annotations

from typing import Any

from tests.proof.background import Background
from tests.support.sealing import seal_all

FUTURE = "2026-12-31"
TODAY = "2026-03-02"


def plant(company: Background) -> None:
    """Two customers in a group, exchange rates, orders in several states, invoices, payments, a policy draft."""
    company.put(f"/v1/fx-rates/{TODAY}", {"base": "EUR", "rates": {"CNY": "7.81", "JPY": "163.05"}})
    company.post("/v1/api-keys", {"name": "order system", "kind": "service", "scopes": ["orders:check"]})
    company.put("/v1/segments/eu", {"name": "Europe", "currency": "EUR", "time_zone": "Europe/Berlin"})
    for customer, parent in (("C-1", None), ("C-2", "C-1")):
        contact = {"role": "dunning", "name": f"Li of {customer}", "email": "li@example.com"}
        said = {"name": customer, "country": "CN", "parent_id": parent, "contacts": [contact]}
        company.put(f"/v1/customers/{customer}", said)
        company.put(f"/v1/customers/{customer}/accounts/main", {"currency": "CNY"})
        _limit(company, customer, "limit", "1000")
    _limit(company, "C-1", "group-limit", "1500")
    _orders(company)
    _receivables(company)
    _credit_data(company)
    asked = {"customer_id": "C-1", "amount": "900000", "currency": "CNY", "justification": "a large order"}
    company.post("/v1/limit-requests", asked)
    company.post("/v1/limit-requests", {**asked, "customer_id": "C-2", "amount": "990"})
    company.post("/v1/deputies", {"deputy": "Li Wei", "valid_until": TODAY, "reason": "on leave"})
    company.post("/v1/customers/C-1/assessments", {})
    company.post("/v1/assessments/batch", {"segment": "main"})
    _dunning(company)
    document = company.get("/v1/policies/main")["document"]
    company.post("/v1/policies/main/versions", {"document": document, "note": "a draft"})
    patch = {"order_checks": {"reservation_days": 10}}
    override = {"patch": patch, "valid_until": FUTURE, "reason": "new customer"}
    company.put("/v1/customers/C-1/policy-override", override)
    company.run(_seal(company))
    company.post("/v1/audits", {"from": TODAY, "to": TODAY})


def adopt(company: Background, sections: dict[str, Any]) -> None:
    """Makes `sections` part of the policy in force, approved by somebody else."""
    approver = {"name": "approver", "kind": "person", "scopes": ["policies:approve"]}
    key = company.post("/v1/api-keys", approver)["key"]
    document = company.get("/v1/policies/main")["document"] | sections
    version = company.post("/v1/policies/main/versions", {"document": document, "note": "test"})["version"]
    path = f"/v1/policies/main/versions/{version}"
    company.post(f"{path}/submit", {})
    company.call("POST", f"{path}/approve", key=key, json={}).raise_for_status()
    company.post(f"{path}/activate", {})


async def _seal(company: Background) -> None:
    """Gives the events their places: audits are drawn from what is sealed."""
    await seal_all(company.transactions)


def _limit(company: Background, customer: str, which: str, amount: str) -> None:
    decided = {"kind": "granted", "amount": amount, "reason": "test"}
    company.post(f"/v1/customers/{customer}/accounts/main/{which}", decided)


def _orders(company: Background) -> None:
    for ref, amount in (("O-1", "300"), ("O-2", "200"), ("O-3", "5000")):
        company.post("/v1/credit-checks", _check("C-1", ref, amount))
    company.post("/v1/credit-checks", _check("C-2", "O/4", "100"))
    company.post("/v1/orders/O-1/shipments", {"shipment_ref": "S-1", "amount": "120"})


def _check(customer: str, ref: str, amount: str) -> dict[str, str]:
    return {"customer_id": customer, "order_ref": ref, "amount": amount, "currency": "CNY"}


def _receivables(company: Background) -> None:
    about = {"customer_id": "C-1", "currency": "CNY"}
    dated = {"issued_on": TODAY, "net_days": 30}
    company.post("/v1/invoices", {**about, **dated, "invoice_no": "INV/1", "amount": "120", "order_ref": "O-1"})
    company.post("/v1/invoices", {**about, **dated, "invoice_no": "INV-2", "amount": "80"})
    note = {"invoice_no": "CN-1", "kind": "credit_note", "amount": "20", "issued_on": TODAY}
    company.post("/v1/invoices", {**about, **note})
    company.post("/v1/payments", {**about, "payment_ref": "P-1", "amount": "150", "received_on": TODAY})


def _credit_data(company: Background) -> None:
    figures = {"total_assets": "1000", "total_liabilities": "600", "equity": "400"}
    company.put("/v1/customers/C-1/financial-statements/2025-12-31", {"currency": "CNY", "figures": figures})
    report = {"agency": "D&B", "report_ref": "R-1", "reported_on": "2026-02-01", "rating": "5A2"}
    company.post("/v1/customers/C-1/credit-reports", report)
    company.post("/v1/customers/C-1/trade-references", {"supplier": "Steel & Sons", "reported_on": "2026-02-01"})
    event = {"kind": "litigation", "occurred_on": "2026-01-15", "severity": 2}
    company.post("/v1/customers/C-1/adverse-events", event)
    cover = {"provider": "Atradius", "kind": "insurance", "status": "approved", "valid_from": "2026-01-01"}
    amount = {"amount": "500", "currency": "CNY", "insured_percent": "90"}
    company.put("/v1/customers/C-1/covers/POL-1", cover | amount)


def _dunning(company: Background) -> None:
    about = {"customer_id": "C-2", "currency": "CNY", "amount": "75"}
    company.post("/v1/invoices", {**about, "invoice_no": "OLD-1", "issued_on": "2026-01-02", "due_on": "2026-01-20"})
    run = company.post("/v1/dunning-runs", {})
    company.post(f"/v1/dunning-runs/{run['id']}/release", {})
    promise = {"amount": "75", "currency": "CNY", "promised_on": FUTURE, "invoices": ["OLD-1"]}
    company.post("/v1/customers/C-2/promises", promise)
    company.post("/v1/customers/C-1/dunning-stops", {"until": FUTURE, "reason": "a visit"})
