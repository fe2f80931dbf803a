"""Receivables over HTTP: invoices, payments, and reports over both."""

from fastapi import APIRouter

from app.domains.receivables.routes import behaviour, invoices, payments, reports

router = APIRouter()
for part in (invoices, payments, reports, behaviour):
    router.routes.extend(part.router.routes)  # flat: see `add_routes`

__all__ = ["router"]
