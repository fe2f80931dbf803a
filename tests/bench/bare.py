"""The yardstick: a request that authenticates, validates and renders like a credit check, and decides nothing.

The same application, middleware, route class, body model and rendering function; a canned decision; no database.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from fastapi import APIRouter, Request, Response

from app.domains.customers.core.terms import PaymentTerms
from app.domains.exposure.core.account import Account
from app.domains.exposure.core.ledger import Exposure
from app.domains.exposure.core.limits import Limit, LimitKind
from app.domains.orders.answers import render_answer
from app.domains.orders.check_routes import JSON
from app.domains.orders.check_schemas import CreditCheckIn, CreditCheckOut
from app.domains.orders.core.decide import decide
from app.domains.orders.core.facts import CheckFacts, CheckRequest, Rates
from app.domains.policies.core.compiled import EffectivePolicy, compile_policy
from app.domains.policies.core.document import default_document
from app.infra.clock import new_id
from app.infra.http.problem import problems
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, requires
from app.support.idempotency.routing import IdempotentRoute, handles_idempotency_itself

PATH: Final = "/v1/bench/bare"

router: Final = APIRouter(tags=["bench"], route_class=IdempotentRoute)

NOON: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
POLICY: Final = EffectivePolicy("main", 1, "default", None, compile_policy(default_document(), profile="default"))
FACTS: Final = CheckFacts(
    at=NOON,
    on=NOON.date(),
    ship_from=NOON,
    request=CheckRequest("C1", "main", "ORDER", Decimal(100), "CNY"),
    terms=PaymentTerms(),
    account=Account(
        id=new_id(NOON),
        customer_id="C1",
        segment="main",
        version=1,
        exposure=Exposure("CNY"),
        fresh_until=NOON,
        basis="",
        base_limit=Limit(LimitKind.GRANTED, Decimal(100_000), date(2026, 1, 1), None),
    ),
    rates=Rates(Decimal(1), Decimal(1)),
)
DECISION: Final = decide(FACTS, POLICY.policy)


@router.post(
    PATH,
    summary="A credit check without the check",
    status_code=201,
    response_model=CreditCheckOut,
    dependencies=[requires(Scope.ORDERS_CHECK)],
    responses=problems(404, 409, 422, 503),
)
@handles_idempotency_itself
async def answer_without_asking(request: Request, caller: Caller, body: CreditCheckIn) -> Response:
    """Everything of a credit check but idempotency, facts, decision and commit."""
    caller.confine(body.segment)
    facts = replace(FACTS, request=body.request())
    rendered = render_answer(
        facts, DECISION, check_id=new_id(request.app.state.clock.now()), policy=POLICY, account_version=1
    )
    return Response(rendered, 201, None, JSON)
