"""What a credit department sends before a customer is assessed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from httpx import AsyncClient, Response

from tests.support.api import MONDAY

TODAY = MONDAY.date()

FIGURES: dict[str, int] = {
    "revenue": 5_000_000,
    "ebit": 300_000,
    "net_income": 180_000,
    "depreciation": 120_000,
    "total_assets": 4_000_000,
    "current_assets": 2_400_000,
    "inventory": 800_000,
    "current_liabilities": 1_200_000,
    "total_liabilities": 2_200_000,
    "equity": 1_800_000,
}


def said(response: Response, status: int) -> Any:
    """The body of an answer that has this status."""
    assert response.status_code == status, response.text
    return response.json()


async def open_account(api: AsyncClient, customer_id: str = "C-1", **members: Any) -> None:
    """A customer with an account in `main`."""
    particulars = {"name": customer_id, "country": "CN", **members}
    said(await api.put(f"/v1/customers/{customer_id}", json=particulars), 201)
    said(await api.put(f"/v1/customers/{customer_id}/accounts/main", json={"currency": "CNY"}), 201)


async def file_statement(
    api: AsyncClient, customer_id: str = "C-1", *, currency: str = "CNY", audited: bool = True, **changes: int
) -> None:
    """The statement of last year."""
    body = {"currency": currency, "audited": audited, "source": "annual report", "figures": FIGURES | changes}
    path = f"/v1/customers/{customer_id}/financial-statements/{TODAY.year - 1}-12-31"
    assert (await api.put(path, json=body)).is_success


async def file_report(api: AsyncClient, score: int, customer_id: str = "C-1") -> None:
    """A report of an agency on whose scale 1 is best and 5 worst."""
    body = {
        "agency": "agency",
        "report_ref": f"R-{score}",
        "reported_on": str(TODAY),
        "score": score,
        "scale": {"min": 1, "max": 5, "higher_is_better": False},
    }
    said(await api.post(f"/v1/customers/{customer_id}/credit-reports", json=body), 201)


async def buy_and_pay(api: AsyncClient, customer_id: str = "C-1", *, days_late: int = 0, items: int = 3) -> None:
    """Invoices of the last months, each paid so many days after it was due."""
    for number in range(items):
        issued = TODAY - timedelta(days=90 + 10 * number)
        paid = issued + timedelta(days=30 + days_late)
        invoice = {"invoice_no": f"{customer_id}-{number}", "customer_id": customer_id, "amount": "1000.00"}
        dates = {"issued_on": str(issued), "net_days": 30, "currency": "CNY"}
        said(await api.post("/v1/invoices", json=invoice | dates), 201)
        payment = {"payment_ref": f"P-{customer_id}-{number}", "customer_id": customer_id, "amount": "1000.00"}
        said(await api.post("/v1/payments", json=payment | {"received_on": str(paid), "currency": "CNY"}), 201)


async def assess(api: AsyncClient, customer_id: str = "C-1", **headers: str) -> dict[str, Any]:
    """The assessment of a customer now."""
    answer = said(await api.post(f"/v1/customers/{customer_id}/assessments", json={}, headers=headers), 201)
    assert isinstance(answer, dict)
    return answer


async def revise_policy(api: AsyncClient, second: AsyncClient, **sections: Any) -> int:
    """A new version of the policy of `main`, approved by a second person and active; its number."""
    document = said(await api.get("/v1/policies/main"), 200)["document"]
    draft = said(await api.post("/v1/policies/main/versions", json={"document": {**document, **sections}}), 201)
    path = f"/v1/policies/main/versions/{draft['version']}"
    said(await api.post(f"{path}/submit"), 200)
    said(await second.post(f"{path}/approve"), 200)
    said(await second.post(f"{path}/activate"), 200)
    return int(draft["version"])
