"""Whatever goes wrong is answered as a problem document."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response

from app.infra.http.problem import PROBLEM_JSON, STATUS_OF_FAMILY, pointer, status_of
from app.kernel import errors
from app.kernel.errors import Refusal


def problem(response: Response, status: int, code: str) -> dict[str, Any]:
    """The document of an answer that has to be this problem, complete and without a stack."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == PROBLEM_JSON
    document: dict[str, Any] = response.json()
    assert document["code"] == code
    assert document["type"] == f"urn:headroom:problem:{code}"
    assert document["status"] == status
    assert document["request_id"] == response.headers["x-request-id"]
    assert set(document) >= {"title", "detail", "instance"}
    assert "Traceback" not in response.text
    return document


async def note(api: AsyncClient, **members: object) -> Response:
    return await api.post("/v1/probe/notes", json={"text": "hello", **members})


class TestRefusals:
    def test_of_every_family_have_a_status(self) -> None:
        families = {kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__base__ is Refusal}
        assert set(STATUS_OF_FAMILY) == families
        assert all(status_of(family("x")) == status for family, status in STATUS_OF_FAMILY.items())

    async def test_carry_their_further_members(self, api: AsyncClient) -> None:
        document = problem(await note(api, text="full"), 409, "probe_full")
        assert (document["detail"], document["held"]) == ("there are 7", 7)
        assert document["instance"] == "/v1/probe/notes"

    async def test_that_are_busy_say_when_to_come_again(self, api: AsyncClient) -> None:
        response = await note(api, text="later")
        problem(response, 503, "probe_later")
        assert response.headers["retry-after"] == "3"

    async def test_of_422_always_list_errors(self, api: AsyncClient) -> None:
        document = problem(await note(api, text="impossible"), 422, "probe_impossible")
        assert document["errors"] == [{"pointer": "", "code": "probe_impossible", "message": "no such thing can be"}]


class TestInvalidRequests:
    async def test_point_at_each_fault(self, api: AsyncClient) -> None:
        response = await api.post("/v1/probe/notes", json={"amount": 1.5, "currency": "ABC", "colour": "red"})
        faults = {error["pointer"]: error["code"] for error in problem(response, 422, "request_invalid")["errors"]}
        assert faults == {
            "/text": "missing",
            "/amount": "amount_not_decimal",
            "/currency": "currency_unknown",
            "/colour": "unknown_field",
        }

    async def test_point_at_parameters(self, api: AsyncClient) -> None:
        response = await api.get("/v1/probe/papers", params={"limit": "501"})
        assert problem(response, 422, "request_invalid")["errors"][0]["pointer"] == "/query/limit"

    async def test_name_unknown_parameters(self, api: AsyncClient) -> None:
        response = await api.get("/v1/probe/papers", params={"limti": "5"})
        assert problem(response, 422, "request_invalid")["errors"][0] == {
            "pointer": "/query/limti",
            "code": "unknown_parameter",
            "message": "there is no such parameter",
        }

    async def test_without_a_body_say_so(self, api: AsyncClient) -> None:
        assert problem(await api.post("/v1/probe/notes"), 422, "request_invalid")["errors"][0]["code"] == "missing"

    async def test_of_the_wrong_shape_point_at_the_whole(self, api: AsyncClient) -> None:
        response = await api.post("/v1/probe/notes", json=[])
        assert problem(response, 422, "request_invalid")["errors"][0]["pointer"] == ""

    def test_pointers_are_escaped(self) -> None:
        assert pointer(["a/b", 0, "c~d"]) == "/a~1b/0/c~0d"


class TestBodies:
    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            (b"{", 400, "json_malformed"),
            (b'{"text": "a", "text": "b"}', 400, "json_member_repeated"),
            (b'{"text": "a", "amount": NaN}', 400, "json_malformed"),
            (b"[" * 40 + b"]" * 40, 400, "json_too_deep"),
            (rb'{"text": "\u0000"}', 422, "text_unstorable"),
            (rb'{"text": "\ud800"}', 422, "text_unstorable"),
            (b'{"text": "\xff"}', 400, "json_malformed"),
        ],
    )
    async def test_are_read_strictly(self, api: AsyncClient, body: bytes, status: int, code: str) -> None:
        headers = {"Content-Type": "application/json"}
        problem(await api.post("/v1/probe/notes", content=body, headers=headers), status, code)

    @pytest.mark.parametrize(
        "headers",
        [
            {"Content-Type": "text/plain"},
            {"Content-Type": "application/x-www-form-urlencoded"},
            {"Content-Type": "application/json; charset=utf-16"},
            {"Content-Type": "application/json", "Content-Encoding": "gzip"},
            {},
        ],
    )
    async def test_of_other_media_are_refused(self, api: AsyncClient, headers: dict[str, str]) -> None:
        response = await api.post("/v1/probe/notes", content=b'{"text": "a"}', headers=headers)
        problem(response, 415, "media_type_unsupported")

    async def test_may_name_their_charset(self, api: AsyncClient) -> None:
        headers = {"Content-Type": "Application/JSON; charset=UTF-8"}
        response = await api.post("/v1/probe/notes", content=b'{"text": "a"}', headers=headers)
        assert response.status_code == 201


class TestRoutes:
    async def test_that_do_not_exist(self, api: AsyncClient) -> None:
        problem(await api.get("/v1/nothing"), 404, "route_not_found")
        problem(await api.get("/v1/probe/papers/"), 404, "route_not_found")

    async def test_without_the_method(self, api: AsyncClient) -> None:
        response = await api.put("/v1/api-keys")
        problem(response, 405, "method_not_allowed")
        assert response.headers["allow"] == "GET, POST"


class TestDefects:
    async def test_tell_nothing_but_the_request_id(self, api: AsyncClient) -> None:
        response = await note(api, text="crash")
        problem(response, 500, "internal_error")
        assert "secret" not in response.text

    async def test_in_the_commit_are_never_answered_2xx(self, api: AsyncClient) -> None:
        problem(await api.post("/v1/probe/unlucky"), 500, "internal_error")

    async def test_in_the_commit_under_a_key_neither(self, api: AsyncClient) -> None:
        for _ in range(2):
            response = await api.post("/v1/probe/unlucky", headers={"Idempotency-Key": "k"})
            problem(response, 500, "internal_error")


class TestOpenApi:
    def test_says_of_every_route_what_it_can_answer(self, app: FastAPI) -> None:
        document = app.openapi()
        assert "HTTPValidationError" not in document["components"]["schemas"]
        write = document["paths"]["/v1/probe/notes"]["post"]
        assert {"201", "400", "401", "403", "409", "413", "415", "422", "500", "503"} == set(write["responses"])
        assert list(write["responses"]["422"]["content"]) == [PROBLEM_JSON]
        assert write["security"] == [{"bearer": []}]
        assert "Idempotency-Key" in [parameter["name"] for parameter in write["parameters"]]

    def test_has_no_idempotency_key_where_none_is_kept(self, app: FastAPI) -> None:
        create = app.openapi()["paths"]["/v1/api-keys"]["post"]
        assert "Idempotency-Key" not in [parameter["name"] for parameter in create.get("parameters", [])]
