"""Every operation of the OpenAPI document × every role × the caller's own segment and another's."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from httpx import Response
from pydantic import SecretStr

from app.infra.clock import FrozenClock
from app.settings import Settings
from app.support.auth.core.scopes import Role
from tests.proof import access
from tests.proof.access import LETTERS, QUERIES, ROWS, Reach, row, suggested
from tests.proof.background import Background, encoded, in_background
from tests.proof.bodies import BODIES, NAMES
from tests.proof.seeds import plant
from tests.support.api import BOOTSTRAP_KEY, MONDAY
from tests.support.cluster import Cluster

METHODS: Final = {"get", "put", "post", "patch", "delete"}
OWN, FOREIGN = "main", "eu"
NOWHERE: Final = "00000000-0000-7000-8000-000000000000"


@dataclass(frozen=True)
class Seen:
    """One answer: whose, to what, from which side of the border."""

    operation: str
    role: Role | None
    segment: str
    answer: Response

    @property
    def code(self) -> str:
        """The code of a problem document."""
        is_problem = self.answer.headers.get("content-type") == "application/problem+json"
        return str(self.answer.json()["code"]) if is_problem else ""

    def __str__(self) -> str:
        who = self.role or "admin"
        return f"{self.operation} as {who} of {self.segment}: {self.answer.status_code} {self.code}"


@pytest.fixture(scope="module")
def company(cluster: Cluster) -> Iterator[Background]:
    """One company for all requests."""
    url = asyncio.run(cluster.create())
    settings = Settings(
        database_url=url, bootstrap_key=SecretStr(BOOTSTRAP_KEY), worker_in_server=False, access_log=False
    )
    with in_background(settings, FrozenClock(MONDAY)) as company:
        plant(company)
        yield company
    asyncio.run(cluster.drop(url))


@pytest.fixture(scope="module")
def operations(company: Background) -> dict[str, dict[str, Any]]:
    """The operations of the document, by method and path."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in company.app.openapi()["paths"].items()
        for method, operation in methods.items()
        if method in METHODS and path.startswith("/v1/")
    }


@pytest.fixture(scope="module")
def seen(company: Background, operations: dict[str, dict[str, Any]]) -> list[Seen]:
    """The answers to everything; what is foreign comes first, for it must change nothing."""
    ids = ids_of(company)
    keys = {(role, segment): key_of(company, role, segment) for role in (*Role, None) for segment in (FOREIGN, OWN)}
    return [
        Seen(operation, role, segment, request(company, operation, keys[role, segment], ids))
        for segment in (FOREIGN, OWN)
        for operation in sorted(operations.keys() & ROWS.keys(), key=lambda name: name.startswith("DELETE"))
        for role in (*Role, None)
    ]


class TestRows:
    def test_say_of_every_operation_whom_it_is_for(self, operations: dict[str, dict[str, Any]]) -> None:
        missing = [suggested(name, frozenset(), operations[name]) for name in sorted(operations.keys() - ROWS.keys())]
        assert missing == [], "add a row to tests/proof/access.py for each, with the letters of its roles"

    def test_say_nothing_of_what_is_gone(self, operations: dict[str, dict[str, Any]]) -> None:
        assert sorted(ROWS.keys() - operations.keys()) == []

    def test_know_every_role(self) -> None:
        assert set(LETTERS.values()) == set(Role)


class TestAccess:
    def test_is_for_the_roles_of_the_row_and_no_other(self, seen: list[Seen]) -> None:
        wrong = [
            str(found)
            for found in seen
            if (found.code != "scope_missing") != (found.role is None or found.role in row(found.operation)[0])
        ]
        assert wrong == []

    def test_never_fails_for_want_of_credentials_or_by_accident(self, seen: list[Seen]) -> None:
        assert [str(found) for found in seen if found.answer.status_code in (401, 405, 415, 500)] == []

    def test_hides_things_of_another_segment(self, seen: list[Seen]) -> None:
        """As if they were not there: 404, or nothing in a list."""
        assert [str(found) for found in admitted(seen, FOREIGN) if not hidden(found)] == []

    def test_shows_things_of_the_own_segment(self, seen: list[Seen]) -> None:
        """Else a thing that is there for nobody would pass for hidden."""
        bound = {Reach.NAMES, Reach.BATCH}
        unseen = [
            str(found)
            for found in admitted(seen, OWN)
            if found.role is None and row(found.operation)[1] in bound and hidden(found)
        ]
        assert unseen == []


def admitted(seen: list[Seen], segment: str) -> list[Seen]:
    """The answers to those whose role opens the operation, from one side of the border."""
    return [found for found in seen if found.segment == segment and found.code != "scope_missing"]


def hidden(found: Seen) -> bool:
    """Whether the answer shows nothing of the segment `main`, and has done nothing in it."""
    reach = row(found.operation)[1]
    if reach is Reach.HOUSE:
        return True
    if reach is Reach.BATCH:
        return {result["status"] for result in found.answer.json()["results"]} == {404}
    if reach is Reach.LISTS:
        return found.answer.status_code == 200 and f'"segment":"{OWN}"' not in found.answer.text
    return found.answer.status_code == 404


def ids_of(company: Background) -> dict[str, str]:
    """The ids that the service gave to what the company was planted with."""
    check = company.get("/v1/credit-checks?order_ref=O-3")["items"][0]
    key = company.get("/v1/api-keys")["items"][0]
    return {"check_id": check["id"], "key_id": key["id"]}


def key_of(company: Background, role: Role | None, segment: str) -> str:
    """A person's key of this role, or of everything, confined to `segment`."""
    granted = {"scopes": ["admin"]} if role is None else {"role": role.value}
    wish = {"name": f"{role or 'admin'} of {segment}", "kind": "person", "segments": [segment], **granted}
    return str(company.post("/v1/api-keys", wish)["key"])


def request(company: Background, operation: str, key: str, ids: dict[str, str]) -> Response:
    """The answer to a valid request about the segment `main`."""
    method, template = operation.split(" ", 1)
    known = {"cover_ref": "POL-1", "item": "management", **NAMES, **ids}
    path = re.sub(r"\{(\w+)\}", lambda name: encoded(known.get(name[1], NOWHERE)), template)
    body = BODIES.get((method, template), access.BODIES.get(operation))
    sent = {"json": body} if body is not None else {}
    return company.call(method, path, key=key, params=QUERIES.get(operation), **sent)
