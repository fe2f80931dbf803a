"""The OpenAPI document, completed with what every route has and no route should have to repeat."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.infra.http.problem import Problem, problems

SECURITY_SCHEME: Final = {"type": "http", "scheme": "bearer", "description": "An API key or a JWT"}

_FASTAPI_OWN: Final = ("HTTPValidationError", "ValidationError")
_ALWAYS: Final = (401, 403, 422, 500, 503)
_WITH_BODY: Final = (400, 413, 415)


def install_openapi(app: FastAPI) -> None:
    """Makes `app.openapi()` give the completed document, built once."""

    def build() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _complete(
                get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
            )
        return app.openapi_schema

    app.openapi = build  # type: ignore[method-assign]


def _complete(document: dict[str, Any]) -> dict[str, Any]:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in _FASTAPI_OWN:
        schemas.pop(name, None)
    own = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(own.pop("$defs", {}))
    schemas[Problem.__name__] = own
    components["securitySchemes"] = {"bearer": SECURITY_SCHEME}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path.startswith("/v1/"):
                _complete_operation(operation)
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    return document


def _complete_operation(operation: dict[str, Any]) -> None:
    operation["security"] = [{"bearer": []}]
    statuses = {*_ALWAYS, *(_WITH_BODY if "requestBody" in operation else ())}
    responses = operation["responses"]
    responses.pop("422", None)  # FastAPI's own form of it
    for status, response in problems(*sorted(statuses)).items():
        responses.setdefault(str(status), response)
    operation["responses"] = dict(sorted(responses.items()))
