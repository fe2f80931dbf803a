"""The composition root of the server: what belongs to it, in one place each."""

from __future__ import annotations

import gc
import platform
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Final

from fastapi import APIRouter, FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.middleware import Middleware

from app import worker
from app.domains.assessments import routes as assessment_routes
from app.domains.control import routes as control_routes
from app.domains.credit_data import routes as credit_data_routes
from app.domains.customers import routes as customer_routes
from app.domains.dunning import routes as dunning_routes
from app.domains.exposure import routes as account_routes
from app.domains.limits import routes as limit_routes
from app.domains.monitoring import routes as report_routes
from app.domains.orders import check_routes, review_routes
from app.domains.orders import routes as order_routes
from app.domains.orders.desk import DESK_CONNECTIONS, LOCK_TIMEOUT, Desk
from app.domains.orders.desk_sql import DESK_SETTINGS
from app.domains.policies import routes as policy_routes
from app.domains.receivables import routes as receivable_routes
from app.infra import metrics, multiprocess
from app.infra.background import meanwhile
from app.infra.clock import Clock, SystemClock
from app.infra.db.engine import close, make_engine, make_sessions
from app.infra.http import health
from app.infra.http.admission import Admission
from app.infra.http.middleware import BodyLimit, EncodedSlashes, RequestScope
from app.infra.http.openapi import install_openapi
from app.infra.http.problem import install_problems
from app.infra.http.routing import add_routes
from app.infra.jobs import run_jobs
from app.infra.transaction import Transactions
from app.reactions import REACTIONS
from app.settings import Settings
from app.support.auth import routes as auth_routes
from app.support.auth.adapters import PublishedKeys
from app.support.auth.service import Authenticator, TokenVerifier
from app.support.journal import routes as journal_routes
from app.support.journal import service as journal

ROUTERS: Final[tuple[APIRouter, ...]] = (
    check_routes.router,
    health.router,
    auth_routes.router,
    journal_routes.router,
    control_routes.router,
    customer_routes.router,
    policy_routes.router,
    assessment_routes.router,
    credit_data_routes.router,
    receivable_routes.router,
    account_routes.router,
    account_routes.rates_router,
    limit_routes.router,
    limit_routes.deputies_router,
    limit_routes.reviews_router,
    limit_routes.history_router,
    order_routes.router,
    order_routes.shipments_router,
    review_routes.router,
    report_routes.router,
    dunning_routes.router,
)
"""Every router, one line for each slice; the busiest first, for routes are tried in this order."""

CHECK_PATHS: Final = frozenset({"/v1/credit-checks", "/v1/credit-checks/batch"})
"""What the desk decides: let in apart from the rest."""

ESSENTIAL_CONNECTIONS: Final = 3
"""Connections of a process for what a credit check may need beside the desk's own: who is calling, a policy, an account
brought to this day. Lists and reports can use up the others without keeping an order waiting."""

GC_THRESHOLD: Final = (50_000, 50, 100)
"""Requests make no cycles worth chasing: rare collections keep the slowest requests fast."""


def create_app(settings: Settings, *, clock: Clock | None = None) -> FastAPI:
    """The application. It opens its database connections when it starts and closes them when it stops."""
    clock = clock or SystemClock()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _running(app, settings, clock):
            yield

    app = FastAPI(
        title="Headroom",
        summary="Decides, before goods leave the warehouse, whether a business customer may take them on credit.",
        version=version("headroom"),
        lifespan=lifespan,
        redirect_slashes=False,
        telemetry={"metrics": False, "logs": False, "operation_spans": False},
        middleware=[
            Middleware(
                RequestScope,
                clock=clock,
                deadline_seconds=settings.request_timeout_seconds,
                access_log=settings.access_log,
            ),
            Middleware(BodyLimit),
            Middleware(EncodedSlashes),
        ],
    )
    install_problems(app)
    add_routes(app, ROUTERS)
    install_openapi(app)
    app.state.admission = app.middleware_stack = Admission(
        app.build_middleware_stack(),
        clock=clock,
        limit=settings.max_requests,
        checks=CHECK_PATHS,
        limit_of_checks=settings.max_checks,
    )
    return app


@asynccontextmanager
async def _running(app: FastAPI, settings: Settings, clock: Clock) -> AsyncIterator[None]:
    """Everything the application holds while it runs, on `app.state`."""
    assert settings.database_url, "the server is given its database"
    engine = make_engine(settings.database_url, pool_size=settings.pool_size)
    essentials = make_engine(
        settings.database_url, pool_size=ESSENTIAL_CONNECTIONS, application_name="headroom essentials"
    )
    rules, bootstrap = settings.token_rules, settings.bootstrap_key
    app.state.settings = settings
    app.state.bundles = settings.bundles
    app.state.outbox = settings.outbox
    app.state.clock = clock
    app.state.engine = engine
    app.state.readiness = health.Readiness(essentials)
    app.state.transactions = _transactions(engine, clock)
    app.state.credit_source = worker.credit_source(settings)
    app.state.authenticator = Authenticator(
        make_sessions(essentials),
        clock=clock,
        bootstrap_key=bootstrap.get_secret_value() if bootstrap else None,
        tokens=TokenVerifier(rules, PublishedKeys(rules.jwks_url)) if rules else None,
    )
    multiprocess.start_afresh()
    metrics.BUILD_INFO.labels(app.version, platform.python_version()).set(1)
    try:
        async with (
            meanwhile(app.state.readiness.watch(), name="readiness"),
            _desk(app, settings, _transactions(essentials, clock)),
            _jobs(app, settings),
        ):
            yield
    finally:
        await close(engine)
        await close(essentials)


def _transactions(engine: AsyncEngine, clock: Clock) -> Transactions:
    return Transactions(make_sessions(engine), clock=clock, journal=journal.write, reactions=REACTIONS)


@asynccontextmanager
async def _desk(app: FastAPI, settings: Settings, errands: Transactions) -> AsyncIterator[None]:
    """The credit desk, on connections of its own: nothing else of the process can keep a check waiting for one."""
    assert settings.database_url, "the server is given its database"
    engine = make_engine(
        settings.database_url,
        pool_size=DESK_CONNECTIONS,
        application_name="headroom desk",
        server_settings=DESK_SETTINGS,
        lock_timeout=LOCK_TIMEOUT,
        isolation_level="AUTOCOMMIT",
    )
    app.state.desk_engine = engine
    app.state.desk = Desk(engine, errands)
    try:
        async with meanwhile(app.state.desk.run(), name="desk"):
            yield
    finally:
        await close(engine)


@asynccontextmanager
async def _jobs(app: FastAPI, settings: Settings) -> AsyncIterator[None]:
    if not settings.worker_in_server:
        yield
        return
    jobs = run_jobs(worker.jobs(settings), engine=app.state.engine, transactions=app.state.transactions)
    async with meanwhile(jobs, name="jobs"):
        yield


def settle_garbage() -> None:
    """Before serving: what was imported stays for ever, the collector need not look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)
