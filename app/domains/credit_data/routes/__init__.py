"""Credit data over HTTP: what is filed of the customer, covers and answers, and the file as a whole."""

from fastapi import APIRouter

from app.domains.credit_data.routes import adverse, covers, files, orders, references, reports, statements

router = APIRouter()
for part in (files, statements, orders, reports, references, adverse, covers):
    router.routes.extend(part.router.routes)  # flat: see `add_routes`

__all__ = ["router"]
