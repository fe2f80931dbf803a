"""Lists over HTTP: `?limit=&cursor=&changed_after=&order=` in, `{"items", "next_cursor"}` out."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query

from app.infra.db.paging import DEFAULT_LIMIT, MAX_CURSOR, MAX_LIMIT, PageRequest
from app.infra.http.fields import Timestamp, Wire

Item = TypeVar("Item")


class Order(StrEnum):
    """The direction of a list."""

    ASC = "asc"
    DESC = "desc"


class Page(Wire, Generic[Item]):
    """One page of a list. `next_cursor` is null at the end."""

    items: list[Item]
    next_cursor: str | None


def page_query(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items per page")] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=MAX_CURSOR, description="next_cursor of the page before")] = None,
    changed_after: Annotated[Timestamp | None, Query(description="Only what changed after this instant")] = None,
    order: Annotated[Order | None, Query(description="Newest first (desc) unless changed_after is given")] = None,
) -> PageRequest:
    """The page that a request asks for; an export by `changed_after` goes forward in time unless told otherwise."""
    direction = order or (Order.ASC if changed_after else Order.DESC)
    return PageRequest(limit, cursor, changed_after, descending=direction is Order.DESC)


PageQuery = Annotated[PageRequest, Depends(page_query)]
"""The parameter of a route that lists."""
