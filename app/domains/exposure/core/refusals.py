"""What the account refuses, by name."""

from __future__ import annotations

from app.kernel.errors import Busy, Conflict, Invalid, NotFound


class AccountNotFound(NotFound):
    """The customer has no account in the segment."""

    code = "account_not_found"
    title = "No such account"


class AccountBusy(Busy):
    """Another transaction has held the account for too long, or too many wait for it already."""

    code = "account_busy"
    title = "The account is busy"


class AccountCurrencyFixed(Conflict):
    """The account has entries, so its currency can't change any more."""

    code = "account_currency_fixed"
    title = "The account's currency can't change"


class GroupLimitExists(Conflict):
    """Another member of the parent chain already carries a group limit in this segment."""

    code = "group_limit_exists"
    title = "The parent chain already has a group limit"


class GroupLimitMissing(Conflict):
    """The account carries no group limit that could be withdrawn."""

    code = "group_limit_missing"
    title = "There is no group limit to withdraw"


class LimitIncomplete(Invalid):
    """The kind of limit and its amount or window do not go together."""

    code = "limit_incomplete"
    title = "Limit kind, amount and window do not go together"


class HoldNotFound(Conflict):
    """There is no hold of this source to lift."""

    code = "not_on_hold"
    title = "No such hold to lift"


class OrderNotFound(NotFound):
    """No order has this reference in the segment."""

    code = "order_not_found"
    title = "No such order"


class OrderRefConflict(Conflict):
    """Another customer's order has this reference."""

    code = "order_ref_conflict"
    title = "The order reference belongs to another customer"


class OrderCurrencyFixed(Conflict):
    """The order binds credit in another currency."""

    code = "order_currency_fixed"
    title = "The order's currency can't change while it binds credit"


class OrderResolved(Conflict):
    """Nothing of the order is left to cancel or close."""

    code = "order_resolved"
    title = "The order is resolved"


class FxRatesInvalid(Invalid):
    """The rates quote the base against itself."""

    code = "fx_rates_invalid"
    title = "The rates are not valid"


class FxRateMissing(Invalid):
    """No exchange rate leads from the document's currency to the account's."""

    code = "fx_rate_missing"
    title = "No exchange rate"
