"""Whatever comes in that should not: a problem document that says what is wrong, never a 5xx, and nothing changes."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

import pytest
from httpx import Response
from pydantic import SecretStr
from sqlalchemy import text

from app.infra.clock import FrozenClock
from app.kernel.identity import SYSTEM
from app.settings import Settings
from tests.proof.background import Background, in_background
from tests.proof.bodies import BODIES, NAMES, NOWHERE, pointer, spoiled
from tests.proof.seeds import TODAY, plant
from tests.support.api import BOOTSTRAP_KEY, MONDAY
from tests.support.cluster import Cluster

Json = dict[str, Any]
CHECKS: Final = "/v1/credit-checks"
CHECK: Final[Json] = {"customer_id": "C-1", "order_ref": "O-9", "amount": "10.00", "currency": "CNY"}
INVOICE: Final[Json] = {
    "invoice_no": "I-9",
    "customer_id": "C-1",
    "amount": "10.00",
    "currency": "CNY",
    "issued_on": TODAY,
}
MEMBERS: Final = {"type", "title", "status", "detail", "instance", "code", "request_id"}
MEGABYTE: Final = 1 << 20


@pytest.fixture(scope="module")
def planted(cluster: Cluster) -> Iterator[Background]:
    """A company for all these tests: nothing here changes it."""
    url = asyncio.run(cluster.create())
    settings = Settings(
        database_url=url, bootstrap_key=SecretStr(BOOTSTRAP_KEY), worker_in_server=False, access_log=False
    )
    with in_background(settings, FrozenClock(MONDAY)) as company:
        plant(company)
        yield company
    asyncio.run(cluster.drop(url))


@pytest.fixture
def company(planted: Background) -> Iterator[Background]:
    """The company, which must be as it was when the test is over."""
    before = planted.run(contents(planted))
    yield planted
    assert planted.run(contents(planted)) == before


async def contents(company: Background) -> dict[str, str]:
    """A digest of every table."""
    tables = "select tablename from pg_tables where schemaname = 'public'"
    async with company.transactions.begin(actor=SYSTEM, request_id="test") as tx:
        names = list(await tx.session.scalars(text(tables)))
        digest = "select count(*) || ' ' || coalesce(md5(string_agg(t::text, '' order by t::text)), '') from {} t"
        return {name: str(await tx.session.scalar(text(digest.format(name)))) for name in names}


def refused(answer: Response, status: int, code: str) -> Json:
    """Asserts that the answer is a whole problem document of this kind; gives it."""
    document = problem(answer)
    assert (answer.status_code, document["code"]) == (status, code), answer.text
    return document


def problem(answer: Response) -> Json:
    """Asserts that the answer is a problem document with all its members; gives it."""
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: Json = answer.json()
    assert document.keys() >= MEMBERS
    assert document["type"] == f"urn:headroom:problem:{document['code']}"
    assert document["status"] == answer.status_code
    assert document["request_id"] == answer.headers["x-request-id"]
    assert all(isinstance(document[name], str) and document[name] for name in MEMBERS - {"status"})
    if answer.status_code == 422:
        assert document["errors"]
        assert all(fault.keys() == {"pointer", "code", "message"} for fault in document["errors"])
    return document


def at(document: Json) -> dict[str, str]:
    """The code of each fault, by pointer."""
    return {fault["pointer"]: fault["code"] for fault in document["errors"]}


class TestFields:
    """One field is wrong, and the answer points to it."""

    @pytest.mark.parametrize(
        ("field", "value", "code"),
        [
            ("surprise", 1, "unknown_field"),
            ("amount", 10.5, "amount_not_decimal"),
            ("amount", 10.0, "amount_not_decimal"),
            ("amount", "1e3", "amount_not_decimal"),
            ("amount", "1,000.00", "amount_not_decimal"),
            ("amount", "\u0661\u0660", "amount_not_decimal"),
            ("amount", " 10", "amount_not_decimal"),
            ("amount", "NaN", "amount_not_decimal"),
            ("amount", "Infinity", "amount_not_decimal"),
            ("amount", True, "amount_not_decimal"),
            ("amount", "-1.00", "amount_not_positive"),
            ("amount", -1, "amount_not_positive"),
            ("amount", "0.00", "amount_not_positive"),
            ("amount", "10.001", "too_many_decimals"),
            ("amount", 10**30, "amount_out_of_range"),
            ("amount", "9" * 16, "amount_not_decimal"),
            ("currency", "XYZ", "currency_unknown"),
            ("currency", "cny", "currency_unknown"),
            ("currency", "", "currency_unknown"),
            ("currency", "DEM", "currency_unknown"),
            ("requested_ship_on", "0000-01-01", "date_unknown"),
            ("requested_ship_on", "0001-01-01", "date_out_of_range"),
            ("requested_ship_on", "9999-12-31", "date_out_of_range"),
            ("requested_ship_on", "2026-02-30", "date_unknown"),
            ("requested_ship_on", "2026-03-02T00:00:00Z", "date_malformed"),
            ("requested_ship_on", 1_772_438_400, "date_malformed"),
            ("order_ref", "a\nb", "reference_malformed"),
            ("order_ref", " a", "reference_malformed"),
            ("order_ref", "a\u202eb", "reference_malformed"),
            ("order_ref", "x" * 65, "string_too_long"),
            ("order_ref", "x" * 100_000, "string_too_long"),
            ("order_ref", "", "string_too_short"),
            ("segment", "Main'; drop table accounts; --", "string_pattern_mismatch"),
            ("reserve", "yes", "bool_type"),
            ("reserve", 1, "bool_type"),
            ("reservation_days", "5", "int_type"),
            ("reservation_days", 5.0, "int_type"),
            ("reservation_days", -1, "greater_than_equal"),
            ("reservation_days", 10**20, "less_than_equal"),
            ("ship_to", "\u3000", "text_blank"),
        ],
    )
    def test_is_named(self, company: Background, field: str, value: Any, code: str) -> None:
        document = refused(company.call("POST", CHECKS, json={**CHECK, field: value}), 422, "request_invalid")
        assert at(document) == {f"/{field}": code}

    @pytest.mark.parametrize("field", sorted(CHECK))
    def test_is_missing(self, company: Background, field: str) -> None:
        body = {name: value for name, value in CHECK.items() if name != field}
        assert at(refused(company.call("POST", CHECKS, json=body), 422, "request_invalid")) == {f"/{field}": "missing"}

    def test_has_decimals_that_the_yen_has_not(self, company: Background) -> None:
        body = {**CHECK, "currency": "JPY", "amount": "10.5"}
        document = refused(company.call("POST", CHECKS, json=body), 422, "request_invalid")
        assert at(document) == {"/amount": "too_many_decimals"}

    def test_has_decimals_that_the_replaced_order_has_not(self, company: Background) -> None:
        body = {**CHECK, "replaces": [{"order_ref": "O-2", "amount": "1.001"}]}
        document = refused(company.call("POST", CHECKS, json=body), 422, "too_many_decimals")
        assert at(document) == {"/replaces/0/amount": "too_many_decimals"}

    def test_has_decimals_that_the_shipped_order_has_not(self, company: Background) -> None:
        body = {"shipment_ref": "S-9", "amount": "1.001"}
        refused(company.call("POST", "/v1/orders/O-1/shipments", json=body), 422, "too_many_decimals")

    def test_names_every_fault_at_once(self, company: Background) -> None:
        body = {**CHECK, "amount": 1.5, "currency": "XYZ", "surprise": 1}
        document = refused(company.call("POST", CHECKS, json=body), 422, "request_invalid")
        assert at(document).keys() == {"/amount", "/currency", "/surprise"}

    @pytest.mark.parametrize(("method", "path"), sorted(BODIES), ids=lambda part: part)
    def test_has_the_wrong_type(self, company: Background, method: str, path: str) -> None:
        filled, body = _filled(company, path), BODIES[method, path]
        for where, name, wrong in spoiled(body):
            answer = company.call(method, filled, content=json.dumps(wrong), headers=JSON)
            document = refused(answer, 422, "text_unstorable" if name == "NUL" else "request_invalid")
            assert any(fault.startswith(pointer(where)) for fault in at(document)), (where, name, document)

    @pytest.mark.parametrize(("method", "path"), sorted(BODIES), ids=lambda part: part)
    def test_is_not_known(self, company: Background, method: str, path: str) -> None:
        body = {**BODIES[method, path], "surprise": 1}
        document = refused(company.call(method, _filled(company, path), json=body), 422, "request_invalid")
        assert at(document)["/surprise"] == "unknown_field"

    def test_every_operation_with_a_body_is_among_these(self, company: Background) -> None:
        paths = company.app.openapi()["paths"].items()
        taking = {(verb.upper(), path) for path, verbs in paths for verb in verbs if "requestBody" in verbs[verb]}
        assert taking == BODIES.keys()


JSON: Final = {"Content-Type": "application/json"}
_BODY: Final = json.dumps(CHECK)


class TestDocument:
    """The body is not one plain JSON document."""

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            (b"", 422, "request_invalid"),
            (b"null", 422, "request_invalid"),
            (b"[]", 422, "request_invalid"),
            (b'"text"', 422, "request_invalid"),
            (b"{", 400, "json_malformed"),
            (b"{'amount': 1}", 400, "json_malformed"),
            (b'{"amount": 1} {}', 400, "json_malformed"),
            (b"\xff\xfe", 400, "json_malformed"),
            (b'{"amount": NaN}', 400, "json_malformed"),
            (b'{"amount": Infinity}', 400, "json_malformed"),
            (b'{"amount": -Infinity}', 400, "json_malformed"),
            (b'{"amount": 1e999}', 400, "json_malformed"),
            (b'{"amount": ' + b"9" * 5000 + b"}", 400, "json_malformed"),
            (b'{"amount": 1, "amount": 2}', 400, "json_member_repeated"),
            (b'{"amount": 1, "\\u0061mount": 2}', 400, "json_member_repeated"),
            (b'{"a": ' * 40 + b"1" + b"}" * 40, 400, "json_too_deep"),
            (b"[" * 100_000 + b"]" * 100_000, 400, "json_too_deep"),
            (b'{"order_ref": "a\\u0000b"}', 422, "text_unstorable"),
            (b'{"order_ref": "\\ud800"}', 422, "text_unstorable"),
            (b'{"order_ref": "\\udc00\\ud800"}', 422, "text_unstorable"),
            (b'{"\\ud800": 1}', 422, "text_unstorable"),
        ],
        ids=lambda part: part[:30].decode("latin-1") if isinstance(part, bytes) else None,
    )
    def test_is_refused(self, company: Background, body: bytes, status: int, code: str) -> None:
        refused(company.call("POST", CHECKS, content=body, headers=JSON), status, code)

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Content-Type": "text/plain"},
            {"Content-Type": "application/xml"},
            {"Content-Type": "multipart/form-data; boundary=x"},
            {"Content-Type": "application/x-www-form-urlencoded"},
            {"Content-Type": "application/json; charset=utf-16"},
            {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        ],
        ids=str,
    )
    def test_is_not_declared_as_json(self, company: Background, headers: dict[str, str]) -> None:
        answer = company.call("POST", CHECKS, content=_BODY.encode(), headers=headers)
        refused(answer, 415, "media_type_unsupported")

    def test_is_over_a_megabyte(self, company: Background) -> None:
        padded = {**CHECK, "ship_to": "x" * MEGABYTE}
        refused(company.call("POST", CHECKS, json=padded), 413, "body_too_large")

    def test_is_over_a_megabyte_in_chunks(self, company: Background) -> None:
        async def chunks() -> Any:
            for _ in range(17):
                yield b" " * (1 << 16)

        refused(company.call("POST", CHECKS, content=chunks(), headers=JSON), 413, "body_too_large")

    @pytest.mark.parametrize("length", ["-1", "1.5", "ten", "0x10", "9" * 4000])
    def test_has_an_impossible_length(self, company: Background, length: str) -> None:
        answer = company.call("POST", CHECKS, content=b"{}", headers={**JSON, "Content-Length": length})
        assert problem(answer)["code"] in {"content_length_malformed", "body_too_large"}

    @pytest.mark.parametrize("kind", ["credit-checks", "invoices", "payments"])
    @pytest.mark.parametrize("count", [0, 1_001, 10_000])
    def test_is_a_batch_of_the_wrong_size(self, company: Background, kind: str, count: int) -> None:
        answer = company.call("POST", f"/v1/{kind}/batch", json={"items": [CHECK] * count})
        assert at(refused(answer, 422, "request_invalid")).keys() == {"/items"}

    @pytest.mark.parametrize("kind", ["credit-checks", "invoices", "payments"])
    def test_is_a_batch_of_nothing_that_fits(self, company: Background, kind: str) -> None:
        items: list[Any] = [None, 1, "x", [], {}, {"amount": 1.5}, [[]], True]
        answer = company.call("POST", f"/v1/{kind}/batch", json={"items": items})
        results = answer.json()["results"]
        assert (answer.status_code, [result["index"] for result in results]) == (207, list(range(len(items))))
        assert {(result["status"], result["body"]["code"]) for result in results} == {(422, "request_invalid")}
        assert all(result["body"].keys() >= MEMBERS for result in results)


class TestPathAndQuery:
    """What is asked for does not exist, or is asked for in an odd way."""

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/v1/customers/..", 404),
            ("/v1/customers/%2e%2e/api-keys", 404),
            ("/v1/customers/..%2f..%2fetc%2fpasswd", 404),
            ("/v1/customers/%2e%2e%2fapi-keys", 404),
            ("/v1/customers/%252e%252e", 404),
            ("/v1/customers/C-1%00", 422),
            ("/v1/customers/%ff%fe", 404),
            ("/v1/customers/%ed%a0%80", 404),
            ("/v1/customers/%0a", 422),
            ("/v1/customers/%", 404),
            ("/v1/customers/%zz", 404),
            ("/v1/customers/%20C-1", 422),
            (f"/v1/customers/{'x' * 65}", 422),
            (f"/v1/customers/{'x' * 60_000}", 422),
            (f"/v1/customers/{'%F0%9F%98%80' * 65}", 422),
            ("/v1//customers", 404),
            ("/v1/customers/C-1/", 404),
            ("/V1/customers/C-1", 404),
            ("/v1/orders/O%2F5", 404),
            ("/v1/credit-checks/not-a-uuid", 422),
            ("/v1/policies/main/versions/0", 422),
            ("/v1/policies/main/versions/99999999999999999999", 422),
            ("/v1/policies/main/versions/1.5", 422),
            ("/v1/policies/MAIN", 422),
            ("/v1/orders/O-1?segment=%00", 422),
            ("/v1/orders/O-1?segment=nowhere", 404),
            ("/v1/customers?limit=0", 422),
            ("/v1/customers?limit=501", 422),
            ("/v1/customers?limit=1e2", 422),
            ("/v1/customers?cursor=%00%ff", 422),
            ("/v1/customers?cursor=AAAA", 422),
            ("/v1/customers?surprise=1", 422),
            ("/v1/customers?changed_after=yesterday", 422),
            ("/v1/customers?changed_after=0000-00-00T00:00:00Z", 422),
            ("/v1/customers/C-1/aging?on=0000-00-00", 422),
            ("/v1/customers/C-1/accounts/main?as_of=9999-12-31T23:59:59-23:59", 422),
        ],
    )
    def test_is_refused(self, company: Background, path: str, status: int) -> None:
        answer = company.call("GET", path)
        assert problem(answer)["status"] == status, answer.text

    @pytest.mark.parametrize("method", ["DELETE", "PATCH", "TRACE", "OPTIONS", "BREW"])
    def test_is_no_method(self, company: Background, method: str) -> None:
        answer = company.call(method, CHECKS)
        refused(answer, 405, "method_not_allowed")
        assert answer.headers["allow"] == "GET, POST"

    @pytest.mark.parametrize("key", ["", "\u00e9".encode("latin-1"), b"x" * 256, b"a\tb"], ids=str)
    def test_is_no_idempotency_key(self, company: Background, key: bytes | str) -> None:
        answer = company.call("POST", CHECKS, json=CHECK, headers={"Idempotency-Key": key})
        refused(answer, 422, "idempotency_key_malformed")

    @pytest.mark.parametrize("value", ["Bearer", "Bearer x", "Basic eDp5", "Bearer " + "x" * 9000, "Bearer a.b.c"])
    def test_is_no_credential(self, company: Background, value: str) -> None:
        answer = company.call("GET", "/v1/customers", headers={"Authorization": value})
        assert problem(answer)["status"] == 401


def _filled(company: Background, path: str) -> str:
    """The path with names that the company knows."""
    ids = {}
    if "{check_id}" in path:
        ids["check_id"] = company.get("/v1/credit-checks?review=open")["items"][0]["id"]
    if "{key_id}" in path:
        ids["key_id"] = company.get("/v1/api-keys")["items"][0]["id"]
    if "{audit_id}" in path:
        ids["audit_id"] = company.get("/v1/audits")["items"][0]["id"]
    if "{contact_id}" in path:
        ids["contact_id"] = company.get("/v1/customers/C-2")["contacts"][0]["id"]
    if "{request_id}" in path:
        ids["request_id"] = company.get("/v1/limit-requests?status=pending")["items"][0]["id"]
    if "{review_id}" in path:
        ids["review_id"] = company.get("/v1/reviews")["items"][0]["id"]
    return path.format_map(defaultdict(lambda: NOWHERE, {**NAMES, **ids}))
