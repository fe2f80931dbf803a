"""What the routes of all records share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

from fastapi import Query, Response

from app.domains.credit_data.core.records import Filed
from app.domains.credit_data.service import Filing, RecordPage
from app.infra.http.etag import etag
from app.infra.http.fields import Timestamp
from app.infra.http.paging import Page
from app.support.auth.core.scopes import Scope

PREFIX: Final = "/v1/customers/{customer_id}"
TAGS: Final = ["credit data"]
WRITING: Final = (Scope.CREDIT_DATA_WRITE,)
READING: Final = (Scope.CREDIT_DATA_WRITE, Scope.ASSESSMENTS_WRITE, Scope.REPORTS_READ)

Content = TypeVar("Content")
Answer = TypeVar("Answer")
Out = Callable[[Filed[Content]], Answer]
"""Puts a record on the wire."""

AsOf = Annotated[Timestamp | None, Query(description="As it was known at this instant; default: now")]


def filed(response: Response, filing: Filing[Content], out: Out[Content, Answer]) -> Answer:
    """What was filed: 201 where there was none before, and the ETag that an edit may name."""
    response.status_code = 201 if filing.created else 200
    return known(response, filing.record, out)


def known(response: Response, record: Filed[Content], out: Out[Content, Answer]) -> Answer:
    """One record, and the ETag that an edit may name."""
    response.headers["ETag"] = etag(record.version)
    return out(record)


def page_of(found: RecordPage, out: Callable[[Filed[Any]], Answer]) -> Page[Answer]:
    """A page of records."""
    return Page(items=[out(record) for record in found.items], next_cursor=found.next_cursor)
