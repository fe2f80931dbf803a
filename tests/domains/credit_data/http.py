"""Bodies of requests, and short ways to send them."""

from __future__ import annotations

from typing import Any, Final

from httpx import AsyncClient, Response

from app.domains.policies.core.merge_patch import merge_patch

C1: Final = "/v1/customers/C1"
FIGURES: Final = {"revenue": "5000000", "total_assets": "1000.00", "total_liabilities": "700", "equity": "300"}
STATEMENT: Final[dict[str, Any]] = {"currency": "CNY", "audited": True, "source": "annual report", "figures": FIGURES}
REPORT: Final[dict[str, Any]] = {
    "agency": "D&B",
    "report_ref": "R-1",
    "reported_on": "2026-02-01",
    "score": "2",
    "scale": {"min": "1", "max": "5", "higher_is_better": False},
    "rating": "5A2",
    "probability_of_default": "0.012",
    "recommended_limit": {"amount": "80000.00", "currency": "EUR"},
}
REFERENCE: Final[dict[str, Any]] = {
    "supplier": "Steel & Sons",
    "reported_on": "2026-02-03",
    "credit_limit": {"amount": "50000.00", "currency": "CNY"},
    "highest_balance": {"amount": "42000.00", "currency": "CNY"},
    "past_due": {"amount": "0.00", "currency": "CNY"},
    "terms_days": 30,
    "days_late": 4,
    "known_since": "2019-05-01",
    "note": "pays before holidays",
}
ADVERSE: Final[dict[str, Any]] = {
    "kind": "litigation",
    "occurred_on": "2026-01-15",
    "severity": 3,
    "amount": {"amount": "12000.00", "currency": "CNY"},
    "description": "sued by a carrier",
    "source": "court of Ningbo",
}
COVER: Final[dict[str, Any]] = {
    "provider": "Atradius",
    "kind": "insurance",
    "status": "approved",
    "provider_code": "DC01",
    "amount": "1000.00",
    "currency": "CNY",
    "insured_percent": "90",
    "valid_from": "2026-01-01",
}


async def customer(api: AsyncClient, customer_id: str = "C1", *, currency: str | None = "CNY") -> None:
    """A customer, with an account in `main` if a currency is given."""
    made = await api.put(f"/v1/customers/{customer_id}", json={"name": "Red Star", "country": "CN"})
    assert made.status_code == 201, made.text
    if currency is not None:
        opened = await api.put(f"/v1/customers/{customer_id}/accounts/main", json={"currency": currency})
        assert opened.status_code == 201, opened.text


async def revise_policy(api: AsyncClient, patch: dict[str, Any]) -> None:
    """A new version of the policy of `main`, active; as long as nobody has approved one, it takes one person."""
    document = merge_patch(body(await api.get("/v1/policies/main"))["document"], patch)
    draft = body(await api.post("/v1/policies/main/versions", json={"document": document}), 201)
    body(await api.post(f"/v1/policies/main/versions/{draft['version']}/activate"))


def body(response: Response, status: int = 200) -> dict[str, Any]:
    """The body of an answer with this status."""
    assert response.status_code == status, response.text
    found: dict[str, Any] = response.json()
    return found


def faults(response: Response) -> list[tuple[str, str]]:
    """Where and what an answer says is wrong."""
    return [(error["pointer"], error["code"]) for error in body(response, 422)["errors"]]
