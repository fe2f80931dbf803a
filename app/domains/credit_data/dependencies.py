"""What routes of credit data ask of the application."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from app.domains.credit_data.adapters import CreditSource


def connected_agency(request: Request) -> str | None:
    """The name of the agency that reports can be ordered from; null when none is configured."""
    source: CreditSource | None = request.app.state.credit_source
    return None if source is None else source.agency


Agency = Annotated[str | None, Depends(connected_agency)]
"""The parameter of a route that orders from the agency."""
