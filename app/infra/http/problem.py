"""RFC 9457 problem documents: every answer that is not what was asked for.

One table says which family of refusals is which status; everything else that can go wrong (a request that does not
validate, a route that does not exist, a defect) is answered in the same form.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import Scope

from app.infra.db.failures import refusal_of
from app.kernel import errors
from app.kernel.errors import Fault, Refusal

PROBLEM_JSON: Final = "application/problem+json"

STATUS_OF_FAMILY: Final[Mapping[type[Refusal], int]] = {
    errors.Malformed: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.NotAllowed: 405,
    errors.Conflict: 409,
    errors.Stale: 412,
    errors.TooLarge: 413,
    errors.UnsupportedMedia: 415,
    errors.Invalid: 422,
    errors.Unconditional: 428,
    errors.Busy: 503,
}

_PLAIN_CODES: Final = {404: "route_not_found", 405: "method_not_allowed", 400: "request_malformed"}
_FIELD_CODES: Final = {"extra_forbidden": "unknown_field", "json_invalid": "json_malformed"}
_PARAMETER_PLACES: Final = frozenset({"path", "query", "header", "cookie"})


class FaultDocument(BaseModel):
    """One thing wrong with the input."""

    pointer: str
    code: str
    message: str


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: list[FaultDocument] | None = None


class RequestInvalid(errors.Invalid):
    """Fields or parameters of the request are not what they have to be."""

    code = "request_invalid"
    title = "The request is not valid"


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI `responses` of a route that can answer with these error statuses.

    What any route can answer (401, 403, 422, 500, 503 …) is added by `app.infra.http.openapi`.
    """
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {PROBLEM_JSON: {"schema": schema}}}
        for status in statuses
    }


def install_problems(app: FastAPI) -> None:
    """Makes `app` answer refusals, invalid requests and HTTP errors as problem documents."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(SQLAlchemyError, _database_error)


def refusal_response(scope: Scope, refusal: Refusal) -> Response:
    """The answer to a request that was refused."""
    status = status_of(refusal)
    faults = refusal.faults
    if status == 422 and not faults:
        faults = (Fault("", refusal.code, refusal.detail),)
    return problem_response(
        scope,
        status,
        code=refusal.code,
        title=refusal.title,
        detail=refusal.detail,
        faults=faults,
        extra=refusal.extra,
        headers=_headers(refusal, status),
    )


def problem_response(
    scope: Scope,
    status: int,
    *,
    code: str,
    title: str,
    detail: str = "",
    faults: Sequence[Fault] = (),
    extra: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """One problem document as a response."""
    document = problem_document(scope, status, code=code, title=title, detail=detail)
    if status == 422 or faults:
        document["errors"] = [{"pointer": f.pointer, "code": f.code, "message": f.message} for f in faults]
    body = json.dumps({**(extra or {}), **document}, ensure_ascii=False, default=str).encode("utf-8", "replace")
    return Response(body, status_code=status, headers=dict(headers or {}), media_type=PROBLEM_JSON)


def problem_document(scope: Scope, status: int, *, code: str, title: str, detail: str = "") -> dict[str, Any]:
    """What every problem document says."""
    return {
        "type": f"urn:headroom:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail or title,
        "instance": _instance(scope),
        "code": code,
        "request_id": request_id_of(scope),
    }


def status_of(refusal: Refusal) -> int:
    """The HTTP status of `refusal`'s family."""
    return next(status for family, status in STATUS_OF_FAMILY.items() if isinstance(refusal, family))


def request_id_of(scope: Scope) -> str:
    """The id that the request was given when it came in; empty outside the middleware."""
    return str(scope.get("state", {}).get("request_id", ""))


def faults_of(error: ValidationError) -> list[Fault]:
    """What a model of its own found wrong, outside any request: pointers begin at the model."""
    return [
        Fault(pointer(fault["loc"]), _FIELD_CODES.get(fault["type"], fault["type"]), str(fault["msg"]))
        for fault in error.errors()
    ]


def pointer(parts: Iterable[str | int]) -> str:
    """`parts` as a JSON pointer (RFC 6901)."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return refusal_response(request.scope, error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [_fault(fault) for fault in error.errors()]
    detail = f"{len(faults)} errors" if len(faults) > 1 else faults[0].message
    return refusal_response(request.scope, RequestInvalid(detail, faults=faults))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    return problem_response(
        request.scope,
        error.status_code,
        code=_PLAIN_CODES.get(error.status_code, phrase.lower().replace(" ", "_")),
        title=phrase,
        detail=str(error.detail or ""),
        headers={**(error.headers or {}), **({"Allow": _allowed(request)} if error.status_code == 405 else {})},
    )


def _allowed(request: Request) -> str:
    """Every method of the path. The framework names only those of the first route that has the path."""
    routes = (route for route in request.app.routes if isinstance(route, Route))
    matching = (route for route in routes if route.path_regex.match(request.scope["path"]))
    return ", ".join(sorted({method for route in matching for method in route.methods or ()}))


async def _database_error(request: Request, error: Exception) -> Response:
    """A database that is busy or away is foreseen; any other error of it is a defect and goes on."""
    refusal = refusal_of(error)
    if refusal is None:
        raise error
    return refusal_response(request.scope, refusal)


def _fault(error: Mapping[str, Any]) -> Fault:
    place, *rest = error["loc"]
    where = [place, *rest] if place in _PARAMETER_PLACES else rest
    return Fault(pointer(where), _FIELD_CODES.get(error["type"], error["type"]), str(error["msg"]))


def _instance(scope: Scope) -> str:
    raw: bytes | None = scope.get("raw_path")
    return raw.decode("latin-1") if raw else str(scope.get("path", ""))


def _headers(refusal: Refusal, status: int) -> dict[str, str]:
    headers: dict[str, str] = {}
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(refusal.retry_after)))
    elif status == 503:
        headers["Retry-After"] = "1"
    if status in (401, 403):
        error = refusal.extra.get("challenge")
        headers["WWW-Authenticate"] = 'Bearer realm="headroom"' + (f', error="{error}"' if error else "")
    return headers
