"""Receivables over HTTP: invoices, payments, what becomes of both, and reports."""

from fastapi import APIRouter

from app.domains.receivables.routes import bad_debts, behaviour, disputes, invoices, payments, refunds, reports

router = APIRouter()
for part in (disputes, bad_debts, invoices, payments, refunds, reports, behaviour):
    router.routes.extend(part.router.routes)  # flat: see `add_routes`

__all__ = ["router"]
