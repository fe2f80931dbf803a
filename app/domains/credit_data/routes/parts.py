"""What the routes of all records share."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Query, Response

from app.domains.credit_data.service import Filing
from app.infra.http.etag import etag
from app.infra.http.fields import Timestamp
from app.support.auth.core.scopes import Scope

PREFIX: Final = "/v1/customers/{customer_id}"
TAGS: Final = ["credit data"]
WRITING: Final = (Scope.CREDIT_DATA_WRITE,)
READING: Final = (Scope.CREDIT_DATA_WRITE, Scope.ASSESSMENTS_WRITE, Scope.REPORTS_READ)

AsOf = Annotated[Timestamp | None, Query(description="As it was known at this instant; default: now")]


def tell(response: Response, filing: Filing[Any]) -> None:
    """201 where there was none before, and the ETag that an edit may name."""
    response.status_code = 201 if filing.created else 200
    response.headers["ETag"] = etag(filing.record.version)
