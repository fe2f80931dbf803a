"""Every route says which scope opens it and how it can fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts

PUBLIC = {
    "/healthz": "a load balancer asks without a key",
    "/readyz": "a load balancer asks without a key",
    "/metrics": "scraped from inside the network; carries no business data",
}
METHODS = {"get", "put", "post", "patch", "delete"}


@dataclass(frozen=True)
class Route:
    """What one route declares."""

    name: str
    path: str
    described: bool
    scopes: frozenset[object]
    errors: frozenset[int]

    @property
    def is_public(self) -> bool:
        return self.path in PUBLIC


@pytest.fixture(scope="module")
def application() -> FastAPI:
    from app.main import create_app
    from app.settings import Settings

    return create_app(Settings())


@pytest.fixture(scope="module")
def routes(application: FastAPI) -> list[Route]:
    found = [_declared(route) for route in iter_route_contexts(application.routes) if hasattr(route, "dependant")]
    assert len(found) > len(PUBLIC), "the application has routes"
    return found


@pytest.fixture(scope="module")
def operations(application: FastAPI) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in application.openapi()["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }


class TestRoutes:
    def test_declare_a_scope(self, routes: list[Route]) -> None:
        assert [route.name for route in routes if not route.is_public and not route.scopes] == []

    def test_declare_how_they_fail(self, routes: list[Route]) -> None:
        assert [route.name for route in routes if not route.is_public and not route.errors] == []

    def test_on_a_thing_declare_that_there_may_be_none(self, routes: list[Route]) -> None:
        assert [
            route.name
            for route in routes
            if "{" in route.path and not route.name.startswith("PUT") and 404 not in route.errors
        ] == []

    def test_have_a_summary_and_a_tag(self, routes: list[Route]) -> None:
        assert [route.name for route in routes if not route.described] == []

    def test_are_below_v1(self, routes: list[Route]) -> None:
        assert [route.name for route in routes if not route.is_public and not route.path.startswith("/v1/")] == []


class TestDocument:
    def test_names_operations_uniquely(self, operations: dict[str, dict[str, Any]]) -> None:
        names = [operation["operationId"] for operation in operations.values()]
        assert len(names) == len(set(names))

    def test_shows_errors_as_problem_documents(self, operations: dict[str, dict[str, Any]]) -> None:
        assert [
            f"{name} {status}"
            for name, operation in operations.items()
            for status, response in operation["responses"].items()
            if status[0] in "45" and "application/problem+json" not in response.get("content", {})
        ] == []


def _declared(route: RouteContext) -> Route:
    path = route.path or ""
    return Route(
        name=f"{'/'.join(sorted(route.methods or ()))} {path}",
        path=path,
        described=bool(route.summary and route.tags),
        scopes=frozenset(_scopes(route.dependant)),
        errors=frozenset(int(status) for status in route.responses if int(status) >= 400),
    )


def scopes_of(dependant: Dependant) -> frozenset[Any]:
    """The scopes any one of which opens a route."""
    return frozenset(_scopes(dependant))


def _scopes(dependant: Dependant) -> Iterator[object]:
    """The scopes that the dependencies of a route ask for, any one of which opens it."""
    yield from getattr(dependant.call, "scopes", ())
    for below in dependant.dependencies:
        yield from _scopes(below)
