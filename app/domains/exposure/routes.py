"""Accounts, their limits, holds and ledgers, and exchange rates over HTTP."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.domains.exposure import service as exposure
from app.domains.exposure.core.holds import MANUAL
from app.domains.exposure.core.limits import LimitScope
from app.domains.exposure.schemas import (
    AccountIn,
    AccountOut,
    FxRatesIn,
    FxRatesOut,
    HoldIn,
    LedgerEntryOut,
    LimitIn,
    UnholdIn,
    account_out,
    fx_rates_out,
    ledger_entry_out,
)
from app.infra.http.etag import IfMatch, check_if_match, etag
from app.infra.http.fields import BusinessDay, PathReference, SegmentName, Timestamp
from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.infra.transaction import Transaction
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(tags=["accounts"], route_class=IdempotentRoute)
rates_router = APIRouter(tags=["exchange rates"], route_class=IdempotentRoute)

ACCOUNT = "/v1/customers/{customer_id}/accounts/{segment}"
READING = (Scope.CUSTOMERS_READ, Scope.LIMITS_SET, Scope.HOLDS_WRITE, Scope.REPORTS_READ)
RATES_READING = (Scope.FX_WRITE, Scope.CUSTOMERS_READ, Scope.RECEIVABLES_WRITE, Scope.REPORTS_READ)

AsOf = Annotated[Timestamp | None, Query(description="As it was known at this instant")]


@router.put(
    ACCOUNT,
    summary="Open an account",
    dependencies=[requires(Scope.CUSTOMERS_WRITE)],
    responses={201: {"model": AccountOut, "description": "Opened"}, **problems(404, 409, 412)},
)
async def open_account(
    tx: Tx,
    caller: Caller,
    customer_id: PathReference,
    segment: SegmentName,
    account: AccountIn,
    response: Response,
    if_match: IfMatch = None,
) -> AccountOut:
    """The same again changes nothing. The currency can change until something is posted or decided in it."""
    opened = await exposure.open_account(
        tx,
        customer_id=customer_id,
        segment=caller.confine(segment),
        currency=account.currency,
        precondition=partial(check_if_match, if_match),
    )
    if opened:
        response.status_code = 201
    return await _current(tx, customer_id, segment, response)


@router.get(ACCOUNT, summary="One account", dependencies=[requires(*READING)], responses=problems(404, 503))
async def get_account(
    tx: Tx,
    caller: Caller,
    customer_id: PathReference,
    segment: SegmentName,
    response: Response,
    as_of: AsOf = None,
) -> AccountOut:
    """Limit, exposure, headroom, what is overdue, and holds: now, or as it was known at an earlier instant."""
    caller.confine(segment)
    if as_of is None or as_of >= tx.now:
        return await _current(tx, customer_id, segment, response)
    return account_out(await exposure.overview_at(tx, customer_id=customer_id, segment=segment, at=as_of))


@router.get(
    "/v1/customers/{customer_id}/accounts",
    summary="A customer's accounts",
    dependencies=[requires(*READING)],
    responses=problems(404, 503),
)
async def list_customer_accounts(tx: Tx, caller: Caller, customer_id: PathReference) -> Page[AccountOut]:
    """One for each segment the customer buys from, all on one page."""
    found = await exposure.accounts_of(tx, customer_id=customer_id, segments=caller.segments)
    return Page(items=[account_out(overview) for overview in found], next_cursor=None)


@router.get(
    "/v1/accounts",
    summary="Accounts, the last opened first",
    dependencies=[requires(*READING)],
    responses=problems(503),
)
async def list_accounts(
    tx: Tx,
    caller: Caller,
    page: PageQuery,
    segment: Annotated[SegmentName | None, Query(description="Only accounts in this segment")] = None,
) -> Page[AccountOut]:
    """In the order they were opened, also with `changed_after`, which keeps those changed since."""
    segments = caller.segments if segment is None else {caller.confine(segment)}
    found = await exposure.list_accounts(tx, page=page, segments=segments)
    return Page(items=[account_out(overview) for overview in found.rows], next_cursor=found.next_cursor)


@router.post(
    f"{ACCOUNT}/limit",
    summary="Set a customer's limit outright",
    dependencies=[requires(Scope.LIMITS_SET)],
    responses=problems(404, 409, 503),
)
async def set_limit(
    tx: Tx, caller: Caller, customer_id: PathReference, segment: SegmentName, limit: LimitIn, response: Response
) -> AccountOut:
    """For cutover and emergencies. A new base limit ends the one before it; a temporary one replaces it for a time."""
    caller.confine(segment)
    await _set_limit(tx, customer_id, segment, LimitScope.OWN, limit)
    return await _current(tx, customer_id, segment, response)


@router.post(
    f"{ACCOUNT}/group-limit",
    summary="Set the limit a group shares",
    dependencies=[requires(Scope.LIMITS_SET)],
    responses=problems(404, 409, 503),
)
async def set_group_limit(
    tx: Tx, caller: Caller, customer_id: PathReference, segment: SegmentName, limit: LimitIn, response: Response
) -> AccountOut:
    """Shared by the customer and all its descendants in the segment. One a parent chain; of kind none it ends."""
    caller.confine(segment)
    await _set_limit(tx, customer_id, segment, LimitScope.GROUP, limit)
    return await _current(tx, customer_id, segment, response)


@router.post(
    f"{ACCOUNT}/hold",
    summary="Stop an account by hand",
    dependencies=[requires(Scope.HOLDS_WRITE)],
    responses=problems(404, 503),
)
async def hold_account(
    tx: Tx, caller: Caller, customer_id: PathReference, segment: SegmentName, hold: HoldIn, response: Response
) -> AccountOut:
    """A soft hold refers orders, a forced one declines them. It takes the place of the hold set by hand before."""
    await exposure.set_hold(
        tx,
        customer_id=customer_id,
        segment=caller.confine(segment),
        source=MANUAL,
        kind=hold.kind,
        reason=hold.reason,
    )
    return await _current(tx, customer_id, segment, response)


@router.post(
    f"{ACCOUNT}/unhold",
    summary="Lift the hold set by hand",
    dependencies=[requires(Scope.HOLDS_WRITE)],
    responses=problems(404, 409, 503),
)
async def unhold_account(
    tx: Tx, caller: Caller, customer_id: PathReference, segment: SegmentName, unhold: UnholdIn, response: Response
) -> AccountOut:
    """Holds of other sources stay."""
    await exposure.lift_hold(
        tx, customer_id=customer_id, segment=caller.confine(segment), source=MANUAL, reason=unhold.reason
    )
    return await _current(tx, customer_id, segment, response)


@router.get(
    f"{ACCOUNT}/ledger", summary="Entries of an account", dependencies=[requires(*READING)], responses=problems(404)
)
async def list_ledger(
    tx: Tx, caller: Caller, customer_id: PathReference, segment: SegmentName, page: PageQuery
) -> Page[LedgerEntryOut]:
    """The newest first unless asked otherwise; `changed_after` keeps what was posted since."""
    account, found = await exposure.list_ledger(tx, customer_id=customer_id, segment=caller.confine(segment), page=page)
    entries = [ledger_entry_out(posting, account.currency) for posting in found.rows]
    return Page(items=entries, next_cursor=found.next_cursor)


@rates_router.put(
    "/v1/fx-rates/{date}",
    summary="Enter the exchange rates of a day",
    dependencies=[requires(Scope.FX_WRITE)],
    responses={201: {"model": FxRatesOut, "description": "Entered"}, **problems(422)},
)
async def enter_fx_rates(tx: Tx, date: BusinessDay, rates: FxRatesIn, response: Response) -> FxRatesOut:
    """1 base = rate. Replaces what the day had of this base; the latest on or before a day counts."""
    day, new = await exposure.enter_rates(tx, on=date, base=rates.base, rates=rates.rates)
    if new:
        response.status_code = 201
    return fx_rates_out(day)


@rates_router.get(
    "/v1/fx-rates",
    summary="Exchange rates, the latest day first",
    dependencies=[requires(*RATES_READING)],
    responses=problems(422),
)
async def list_fx_rates(tx: Tx, page: PageQuery) -> Page[FxRatesOut]:
    """By day and base; `changed_after` keeps what was entered since."""
    found = await exposure.list_rates(tx, page=page)
    return Page(items=[fx_rates_out(day) for day in found.rows], next_cursor=found.next_cursor)


async def _set_limit(tx: Transaction, customer_id: str, segment: str, scope: LimitScope, limit: LimitIn) -> None:
    await exposure.set_limit(
        tx,
        customer_id=customer_id,
        segment=segment,
        scope=scope,
        kind=limit.kind,
        amount=limit.amount,
        valid_from=limit.valid_from,
        valid_until=limit.valid_until,
        temporary=limit.temporary,
        reason=limit.reason,
    )


async def _current(tx: Transaction, customer_id: str, segment: str, response: Response) -> AccountOut:
    overview = await exposure.overview(tx, customer_id=customer_id, segment=segment)
    response.headers["ETag"] = etag(overview.account.version)
    return account_out(overview)
