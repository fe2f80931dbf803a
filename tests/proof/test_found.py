"""What the proofs have found once, as short as it can be told."""

from __future__ import annotations

from httpx import AsyncClient

from app.support.auth.core.scopes import Role
from tests.domains.orders.world import check, open_account, order
from tests.support.api import MONDAY, ApiAs


class TestReviewOfAnOrderInvoicedCompletely:
    """The order was approved once, asks for more, and its last invoice comes before anybody has decided."""

    async def test_can_still_be_released(self, api: AsyncClient, api_as: ApiAs) -> None:
        check_id = await self._invoiced_while_under_review(api)
        manager = await api_as(role=Role.CREDIT_MANAGER)
        released = await manager.post(f"/v1/credit-checks/{check_id}/release", json={"reason": "a good customer"})
        assert (released.status_code, released.json()["review"]) == (200, "released")
        assert (await order(api))["state"] == "partly_invoiced"

    async def test_can_still_be_rejected(self, api: AsyncClient, api_as: ApiAs) -> None:
        check_id = await self._invoiced_while_under_review(api)
        manager = await api_as(role=Role.CREDIT_MANAGER)
        rejected = await manager.post(f"/v1/credit-checks/{check_id}/reject", json={"reason": "too much"})
        assert (rejected.status_code, rejected.json()["review"]) == (200, "rejected")
        assert (await order(api))["open"] == "0.00"

    async def _invoiced_while_under_review(self, api: AsyncClient) -> str:
        await open_account(api)
        await check(api, "100")
        referred = await check(api, "5000")
        assert referred["outcome"] == "referred"
        invoice = {
            "invoice_no": "I-1",
            "customer_id": "C-1",
            "amount": "60",
            "currency": "CNY",
            "issued_on": MONDAY.date().isoformat(),
            "orders": [{"order_ref": "O-1", "amount": "60", "complete": True}],
        }
        assert (await api.post("/v1/invoices", json=invoice)).status_code == 201
        assert (await order(api))["open"] == "0.00"
        return str(referred["id"])
