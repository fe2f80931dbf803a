"""Batches over HTTP: `{"items": […]}` in, 207 with one status and body for each item out.

An item is validated by itself: one that is malformed gets its problem document and the others go on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Final

from fastapi import Response
from pydantic import Field, ValidationError
from starlette.types import Scope

from app.infra.http.fields import Wire
from app.infra.http.problem import RequestInvalid, faults_of, refusal_response
from app.kernel.errors import Refusal

MAX_ITEMS: Final = 1_000


class BatchIn(Wire):
    """Up to 1,000 items, each like the body of the single request. They succeed and fail on their own, in order."""

    items: Annotated[list[Any], Field(min_length=1, max_length=MAX_ITEMS)]


class ResultOut(Wire):
    """What became of one item: `body` is what the single request would have been answered."""

    index: int
    status: int
    body: dict[str, Any]


class BatchOut(Wire):
    """The results of a batch, in the order of its items."""

    results: list[ResultOut]


def item_problem(scope: Scope, error: Refusal | ValidationError) -> tuple[int, bytes]:
    """The status and problem document of an item that was refused or does not validate."""
    refusal = error if isinstance(error, Refusal) else RequestInvalid(faults=faults_of(error))
    response = refusal_response(scope, refusal)
    return response.status_code, bytes(response.body)


def batch_response(results: Iterable[tuple[int, bytes]]) -> Response:
    """The answer to a batch: the rendered bodies of its items are sent as they are."""
    rendered = b",".join(
        b'{"index":%d,"status":%d,"body":%b}' % (index, status, body) for index, (status, body) in enumerate(results)
    )
    return Response(b'{"results":[' + rendered + b"]}", 207, media_type="application/json")
