"""What wraps every request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from prometheus_client import REGISTRY

from app.infra.clock import FrozenClock
from app.infra.http.middleware import MAX_BATCH_BODY, MAX_BODY
from app.main import create_app
from app.settings import Settings
from tests.infra.http.test_problem import problem
from tests.support import probe
from tests.support.api import BOOTSTRAP_KEY, client_of

JSON = {"Content-Type": "application/json"}


class TestRequestId:
    async def test_is_made_where_none_came(self, api: AsyncClient) -> None:
        assert UUID((await api.get("/healthz")).headers["x-request-id"]).version == 7

    async def test_that_came_is_kept(self, api: AsyncClient) -> None:
        response = await api.get("/healthz", headers={"X-Request-Id": "order-7/retry:2"})
        assert response.headers["x-request-id"] == "order-7/retry:2"

    @pytest.mark.parametrize("wild", ["", "a b", "x" * 129, 'a"b', "a<b"])
    async def test_that_came_is_replaced_where_it_is_wild(self, api: AsyncClient, wild: str) -> None:
        response = await api.get("/healthz", headers={"X-Request-Id": wild})
        assert UUID(response.headers["x-request-id"]).version == 7

    async def test_is_on_refusals_too(self, api: AsyncClient) -> None:
        response = await api.get("/v1/nothing", headers={"X-Request-Id": "abc"})
        assert problem(response, 404, "route_not_found")["request_id"] == "abc"


class TestBodyLimit:
    async def test_refuses_a_declared_length(self, api: AsyncClient) -> None:
        response = await api.post("/v1/probe/notes", content=b" " * (MAX_BODY + 1), headers=JSON)
        problem(response, 413, "body_too_large")
        assert response.headers["connection"] == "close"

    async def test_refuses_an_undeclared_length(self, api: AsyncClient) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(17):
                yield b" " * (MAX_BODY // 16)

        problem(await api.post("/v1/probe/notes", content=chunks(), headers=JSON), 413, "body_too_large")

    async def test_reads_up_to_it(self, api: AsyncClient) -> None:
        body = b'{"text": "x"}'.ljust(MAX_BODY)
        assert (await api.post("/v1/probe/notes", content=body, headers=JSON)).status_code == 201

    async def test_is_wider_for_batches(self, api: AsyncClient) -> None:
        body = b"[1]".ljust(MAX_BATCH_BODY)
        assert (await api.post("/v1/probe/batch", content=body, headers=JSON)).text == "1"
        problem(await api.post("/v1/probe/batch", content=body + b" ", headers=JSON), 413, "body_too_large")

    async def test_refuses_a_length_that_is_no_number(self, api: AsyncClient) -> None:
        headers = {**JSON, "Content-Length": "-1"}
        problem(await api.post("/v1/probe/notes", content=b"{}", headers=headers), 400, "content_length_malformed")


class TestEncodedSlashes:
    @pytest.mark.parametrize(
        ("path", "reference"),
        [
            ("INV%2F2026%2F00001", "INV/2026/00001"),
            ("INV%2f2026", "INV/2026"),
            ("100%25", "100%"),
            ("a%252Fb", "a%2Fb"),
            ("%E5%AE%A2%E6%88%B7%2F7", "客户/7"),
            ("a%20b", "a b"),
            ("plain", "plain"),
            ("%2E%2E", ".."),
        ],
    )
    async def test_stay_in_the_reference(self, api: AsyncClient, path: str, reference: str) -> None:
        response = await api.get(f"/v1/probe/papers/{path}?segment=main")
        assert response.json() == {"paper": reference, "segment": "main"}

    async def test_do_not_hide_what_comes_behind(self, api: AsyncClient) -> None:
        response = await api.post("/v1/probe/papers/A%2F1/copies/B%2F2")
        assert response.json() == {"paper": "A/1", "copy": "B/2"}

    async def test_that_are_not_encoded_separate(self, api: AsyncClient) -> None:
        problem(await api.get("/v1/probe/papers/INV/2026"), 404, "route_not_found")

    @pytest.mark.parametrize("path", ["%00", "a%0Ab", "%20a", "x" * 65])
    async def test_do_not_let_unprintable_references_in(self, api: AsyncClient, path: str) -> None:
        response = await api.get(f"/v1/probe/papers/{path}")
        assert problem(response, 422, "request_invalid")["errors"][0]["pointer"] == "/path/paper"


class TestDeadline:
    async def test_ends_a_request_that_takes_too_long(self, settings: Settings, clock: FrozenClock) -> None:
        app = create_app(settings.model_copy(update={"request_timeout_seconds": 0.05}), clock=clock)
        app.include_router(probe.router)
        async with app.router.lifespan_context(app), client_of(app, BOOTSTRAP_KEY) as api:
            response = await api.get("/v1/probe/sleep", params={"seconds": 60})
        problem(response, 503, "deadline_exceeded")
        assert response.headers["retry-after"] == "1"


class TestMetrics:
    async def test_count_by_template_never_by_path(self, api: AsyncClient) -> None:
        def count(route: str, status: str) -> float:
            labels = {"method": "GET", "route": route, "status": status}
            return REGISTRY.get_sample_value("headroom_requests_total", labels) or 0

        before = count("/v1/probe/papers/{paper}", "200"), count("unmatched", "404")
        await api.get("/v1/probe/papers/one")
        await api.get("/v1/probe/papers/two")
        await api.get("/v1/made/up/7")
        after = count("/v1/probe/papers/{paper}", "200"), count("unmatched", "404")
        assert after == (before[0] + 2, before[1] + 1)

    async def test_are_served(self, api: AsyncClient) -> None:
        await api.get("/healthz")
        text = (await api.get("/metrics")).text
        assert 'headroom_requests_total{method="GET",route="/healthz",status="200"}' in text
        assert "headroom_build_info{" in text
        assert 'headroom_decision_seconds_bucket{le="0.05"}' in text


class TestHealth:
    async def test_lives_without_credentials(self, app: FastAPI) -> None:
        async with client_of(app, None) as anybody:
            assert (await anybody.get("/healthz")).json() == {"status": "ok"}

    async def test_is_ready_on_a_migrated_database(self, api: AsyncClient) -> None:
        assert (await api.get("/readyz")).json() == {"status": "ready"}

    async def test_is_not_ready_without_a_database(self, settings: Settings, clock: FrozenClock) -> None:
        away = settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/none"})
        app = create_app(away, clock=clock)
        async with app.router.lifespan_context(app), client_of(app, BOOTSTRAP_KEY) as api:
            problem(await api.get("/readyz"), 503, "not_ready")
            response = await api.get("/v1/events")
            problem(response, 503, "database_unavailable")
            assert (await asyncio.wait_for(api.get("/healthz"), 5)).status_code == 200
