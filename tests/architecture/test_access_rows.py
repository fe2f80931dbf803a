"""Every operation has a row in `tests/proof/access.py` that says whom it is for; the test beside it tries them."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from app.kernel.identity import ActorKind
from app.support.auth.core.principals import Principal
from app.support.auth.core.scopes import SCOPES_OF_ROLE, Role
from tests.architecture.test_routes import METHODS, scopes_of
from tests.proof.access import LETTERS, ROWS, row, suggested

CONVERTER: Final = re.compile(r":\w+(?=\})")
"""What a path says of the form of a parameter; the document does not say it there."""


@pytest.fixture(scope="module")
def application() -> FastAPI:
    from app.main import create_app
    from app.settings import Settings

    return create_app(Settings())


@pytest.fixture(scope="module")
def operations(application: FastAPI) -> dict[str, dict[str, Any]]:
    """The operations of the document, by method and path."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in application.openapi()["paths"].items()
        for method, operation in methods.items()
        if method in METHODS and path.startswith("/v1/")
    }


@pytest.fixture(scope="module")
def opened(application: FastAPI) -> dict[str, frozenset[Role]]:
    """The roles that each operation is open to, by the scopes that it declares."""
    return {
        f"{method} {CONVERTER.sub('', route.path or '')}": frozenset(
            role for role in Role if _may(role, scopes_of(route.dependant))
        )
        for route in iter_route_contexts(application.routes)
        if hasattr(route, "dependant")
        for method in route.methods or ()
    }


class TestRows:
    def test_say_of_every_operation_whom_it_is_for(
        self, operations: dict[str, dict[str, Any]], opened: dict[str, frozenset[Role]]
    ) -> None:
        missing = [suggested(name, opened[name], operations[name]) for name in operations if name not in ROWS]
        assert missing == [], "think of each, and add it to ROWS in tests/proof/access.py"

    def test_say_nothing_of_what_is_gone(self, operations: dict[str, dict[str, Any]]) -> None:
        assert sorted(ROWS.keys() - operations.keys()) == []

    def test_are_what_the_scopes_come_to(self, opened: dict[str, frozenset[Role]]) -> None:
        assert [name for name in ROWS if name in opened and row(name)[0] != opened[name]] == []

    def test_know_every_role(self) -> None:
        assert set(LETTERS.values()) == set(Role)


def _may(role: Role, scopes: frozenset[Any]) -> bool:
    holder = Principal("key", "holder", ActorKind.PERSON, SCOPES_OF_ROLE[role])
    return any(holder.may(scope) for scope in scopes)
