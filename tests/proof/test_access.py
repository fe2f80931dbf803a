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
from tests.proof.access import QUERIES, ROWS, Reach, row
from tests.proof.background import Background, encoded, in_background
from tests.proof.bodies import BODIES, NAMES, NOWHERE
from tests.proof.seeds import plant
from tests.support.api import BOOTSTRAP_KEY, MONDAY
from tests.support.cluster import Cluster

METHODS: Final = {"get", "put", "post", "patch", "delete"}
OWN, FOREIGN = "main", "eu"


@dataclass(frozen=True)
class Seen:
    """One answer: whose, to what, from which side of the border."""

    operation: str
    role: Role | None
    segment: str
    answer: Response
    exists: bool
    """Whether the company has what the path names; else nothing can be said of who sees it."""

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
        ask(company, operation, role, segment, keys[role, segment], ids)
        for segment in (FOREIGN, OWN)
        for operation in sorted(operations.keys() & ROWS.keys(), key=_reading_first)
        for role in (*Role, None)
    ]


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
            if found.role is None and row(found.operation)[1] in bound and found.exists and hidden(found)
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


def _reading_first(operation: str) -> tuple[int, str]:
    """Reading, then what makes and changes, then what takes away: so that all find what they are about."""
    taking_away = ("DELETE", "POST") if operation.endswith(("erase", "reject", "reverse", "cancel")) else ("DELETE",)
    return (0 if operation.startswith("GET") else 2 if operation.startswith(taking_away) else 1, operation)


def ids_of(company: Background) -> dict[str, str]:
    """The ids that the service gave to what the company was planted with."""
    check = company.get("/v1/credit-checks?order_ref=O-3")["items"][0]
    key = company.get("/v1/api-keys")["items"][0]
    contact = company.get("/v1/customers/C-1")["contacts"][0]
    found = {
        "contact_id": contact["id"],
        "request_id": company.get("/v1/limit-requests?status=pending")["items"][0]["id"],
        "deputy_id": company.get("/v1/deputies")["items"][0]["id"],
        "audit_id": company.get("/v1/audits")["items"][0]["id"],
        "review_id": company.get("/v1/reviews")["items"][0]["id"],
        "assessment_id": company.get("/v1/customers/C-1/assessments")["items"][0]["id"],
        "run_id": company.get("/v1/assessments/batch")["items"][0]["id"],
    }
    return {"check_id": check["id"], "key_id": key["id"], **found}


def key_of(company: Background, role: Role | None, segment: str) -> str:
    """A person's key of this role, or of everything, confined to `segment`."""
    granted = {"scopes": ["admin"]} if role is None else {"role": role.value}
    wish = {"name": f"{role or 'admin'} of {segment}", "kind": "person", "segments": [segment], **granted}
    return str(company.post("/v1/api-keys", wish)["key"])


def ask(company: Background, operation: str, role: Role | None, segment: str, key: str, ids: dict[str, str]) -> Seen:
    """The answer to a valid request about the segment `main`."""
    method, template = operation.split(" ", 1)
    known = {"cover_ref": "POL-1", "item": "management", **NAMES, **ids}
    names = re.findall(r"\{(\w+)\}", template)
    path = template.format(**{name: encoded(known.get(name, NOWHERE)) for name in names})
    body = BODIES.get((method, template), access.BODIES.get(operation))
    sent = {"json": body} if body is not None else {}
    answer = company.call(method, path, key=key, params=QUERIES.get(operation), **sent)
    return Seen(operation, role, segment, answer, exists=known.keys() >= set(names))
