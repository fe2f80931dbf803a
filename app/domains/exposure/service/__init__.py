"""Use cases of the account, as other slices and the routes call them:

from app.domains.exposure import service as exposure

positions = await exposure.lock(tx, keys=[("C-1", "main")])
positions.post(account.id, entries)            # pure: positions are in memory
await exposure.save(tx, positions=positions)
"""

from app.domains.exposure.repository.orders import FiledOrder
from app.domains.exposure.repository.rates import DayRates
from app.domains.exposure.service.accounts import (
    account_keys,
    accounts_of,
    accounts_with_dues,
    accounts_with_expired_orders,
    companions,
    count_accounts,
    due_ladder,
    list_accounts,
    list_ledger,
    members,
    open_account,
    stale_accounts,
)
from app.domains.exposure.service.groups import regroup
from app.domains.exposure.service.holds import is_held, keep_hold, lift_hold, set_hold
from app.domains.exposure.service.limits import ending_limits, limit_was_set, list_limits, set_limit
from app.domains.exposure.service.orders import filed_order, filed_orders, list_orders
from app.domains.exposure.service.overview import Overview, overview, overview_at
from app.domains.exposure.service.positions import (
    account,
    basis,
    keep_fresh,
    known_accounts,
    load_orders,
    lock,
    order,
    quotes,
    rate,
    refresh,
    reload_group_limits,
    reload_limits,
    save,
)
from app.domains.exposure.service.rates import enter_rates, list_rates
from app.domains.exposure.service.risk import RiskFacts, note_cover, note_risk, note_risks

__all__ = [
    "DayRates",
    "FiledOrder",
    "Overview",
    "RiskFacts",
    "account",
    "account_keys",
    "accounts_of",
    "accounts_with_dues",
    "accounts_with_expired_orders",
    "basis",
    "companions",
    "count_accounts",
    "due_ladder",
    "ending_limits",
    "enter_rates",
    "filed_order",
    "filed_orders",
    "is_held",
    "keep_fresh",
    "keep_hold",
    "known_accounts",
    "lift_hold",
    "limit_was_set",
    "list_accounts",
    "list_ledger",
    "list_limits",
    "list_orders",
    "list_rates",
    "load_orders",
    "lock",
    "members",
    "note_cover",
    "note_risk",
    "note_risks",
    "open_account",
    "order",
    "overview",
    "overview_at",
    "quotes",
    "rate",
    "refresh",
    "regroup",
    "reload_group_limits",
    "reload_limits",
    "save",
    "set_hold",
    "set_limit",
    "stale_accounts",
]
