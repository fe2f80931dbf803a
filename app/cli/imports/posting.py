"""Posts requests through the use cases of the API, in the transaction of one batch.

Each poster gives one outcome a request, in their order, or raises a refusal for the whole; the caller then splits the
batch (see `batches`). What was posted before is recognised by its own reference and contents, by the use case itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from app.cli.imports.credit_file import post_covers, post_reports, post_statements
from app.cli.imports.documents import CustomerRequest, LimitRequest, RateRequest
from app.cli.imports.outcomes import Result, outcome
from app.cli.imports.profile import Kind
from app.cli.imports.refusals import LimitCurrencyDiffers, RateContradicted
from app.domains.customers import service as customers
from app.domains.dunning import service as dunning
from app.domains.dunning.core.interest import ReferenceRate
from app.domains.exposure import service as exposure
from app.domains.orders import service as orders
from app.domains.orders.core.orders import AcceptedOrder
from app.domains.receivables import service as receivables
from app.domains.receivables.core.requests import InvoiceRequest, PaymentRequest
from app.infra.transaction import Transaction
from app.kernel.errors import Fault, Refusal
from app.support.auth.core.scopes import Scope

Post = Callable[[Transaction, Sequence[Any]], Awaitable[Sequence[Result]]]

SCOPES: Final = {
    Kind.CUSTOMERS: (Scope.CUSTOMERS_WRITE,),
    Kind.LIMITS: (Scope.LIMITS_SET,),
    Kind.ORDERS: (Scope.ADMIN,),
    Kind.INVOICES: (Scope.RECEIVABLES_WRITE,),
    Kind.PAYMENTS: (Scope.RECEIVABLES_WRITE,),
    Kind.FX_RATES: (Scope.FX_WRITE,),
    Kind.STATEMENTS: (Scope.CREDIT_DATA_WRITE,),
    Kind.REPORTS: (Scope.CREDIT_DATA_WRITE,),
    Kind.COVERS: (Scope.CREDIT_DATA_WRITE,),
    Kind.INTEREST_RATES: (Scope.POLICIES_WRITE,),
}
"""What a key has to allow, as for the routes of the API."""


async def post_documents(tx: Transaction, requests: Sequence[InvoiceRequest | PaymentRequest]) -> Sequence[Result]:
    """Invoices and payments, all of them in their order."""
    posted = await receivables.post_documents(tx, requests=requests)
    return [found if isinstance(found, Refusal) else outcome(found) for found in posted]


async def post_customers(tx: Transaction, requests: Sequence[CustomerRequest]) -> Sequence[Result]:
    """Customers with their contacts and accounts; what is known of one is replaced, as by `PUT /v1/customers/…`."""
    results: list[Result] = []
    for request in requests:
        filed = await customers.put(
            tx, customer_id=request.customer_id, particulars=request.particulars, contacts=request.contacts
        )
        opened = request.currency is not None and await exposure.open_account(
            tx, customer_id=request.customer_id, segment=request.segment, currency=request.currency
        )
        results.append(outcome(opened or filed.customer.updated_at == tx.now))
    return results


async def post_limits(tx: Transaction, requests: Sequence[LimitRequest]) -> Sequence[Result]:
    """Limits set outright; one that was decided before is not decided again."""
    results: list[Result] = []
    for request in requests:
        await _check_currency(tx, request)
        decision: dict[str, Any] = {
            "customer_id": request.customer_id,
            "segment": request.segment,
            "scope": request.scope,
            "kind": request.kind,
            "amount": request.amount,
            "valid_from": request.valid_from,
            "valid_until": request.valid_until,
            "temporary": request.temporary,
        }
        known = await exposure.limit_was_set(tx, **decision)
        if not known:
            await exposure.set_limit(tx, **decision, reason=request.reason)
        results.append(outcome(not known))
    return results


async def post_orders(tx: Transaction, requests: Sequence[AcceptedOrder]) -> Sequence[Result]:
    """Orders that were accepted before Headroom."""
    return [outcome((await orders.load(tx, accepted=order))[1]) for order in requests]


async def post_rates(tx: Transaction, requests: Sequence[RateRequest]) -> Sequence[Result]:
    """All the rates that the file has for a day become the day's, base by base, as by `PUT /v1/fx-rates/…`."""
    results: dict[int, Result] = {}
    by_day: dict[tuple[str, str], dict[str, Decimal]] = {}
    for place, request in enumerate(requests):
        rates = by_day.setdefault((request.on.isoformat(), request.base), {})
        if rates.setdefault(request.currency, request.rate) != request.rate:
            message = f"{request.base}/{request.currency} on {request.on} is {rates[request.currency]} above"
            results[place] = RateContradicted(message, faults=[Fault("/rate", RateContradicted.code, message)])
    new: dict[tuple[str, str], bool] = {}
    for request in requests:
        day = (request.on.isoformat(), request.base)
        if day not in new:
            entered, _ = await exposure.enter_rates(tx, on=request.on, base=request.base, rates=by_day[day])
            new[day] = entered.entered_at == tx.now
    for place, request in enumerate(requests):
        results.setdefault(place, outcome(new[request.on.isoformat(), request.base]))
    return [results[place] for place in range(len(requests))]


async def post_interest_rates(tx: Transaction, requests: Sequence[ReferenceRate]) -> Sequence[Result]:
    """Reference rates of the law of late payment, as by `PUT /v1/statutory-rates/…`."""
    return [outcome(await dunning.rates.enter(tx, rate=rate)) for rate in requests]


POSTERS: Final[dict[Kind, Post]] = {
    Kind.CUSTOMERS: post_customers,
    Kind.LIMITS: post_limits,
    Kind.ORDERS: post_orders,
    Kind.INVOICES: post_documents,
    Kind.PAYMENTS: post_documents,
    Kind.FX_RATES: post_rates,
    Kind.STATEMENTS: post_statements,
    Kind.REPORTS: post_reports,
    Kind.COVERS: post_covers,
    Kind.INTEREST_RATES: post_interest_rates,
}


async def _check_currency(tx: Transaction, request: LimitRequest) -> None:
    if request.currency is None:
        return
    account = await exposure.account(tx, customer_id=request.customer_id, segment=request.segment)
    if account.currency != request.currency:
        message = f"the account is kept in {account.currency}"
        raise LimitCurrencyDiffers(message, faults=[Fault("/currency", LimitCurrencyDiffers.code, message)])
