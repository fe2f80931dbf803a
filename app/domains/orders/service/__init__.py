"""Use cases of orders, by topic: orders, shipments, stored credit checks and their reviews.

Deciding new checks is the desk's: see `app.domains.orders.desk`.
"""

from app.domains.orders.repository import CheckFilter, ShipmentFilter, StoredCheck
from app.domains.orders.repository.waiting import Waiting
from app.domains.orders.service.cases import claim, hand_on, list_notes, note, unclaim
from app.domains.orders.service.checks import (
    CheckView,
    Replay,
    find,
    list_checks,
    list_checks_by_stake,
    replay,
    view,
)
from app.domains.orders.service.orders import cancel, close, get, list_orders, load
from app.domains.orders.service.rejudging import reevaluate, reevaluate_waiting
from app.domains.orders.service.retention import Swept, delete_older_checks
from app.domains.orders.service.reviews import accounts_with_lapsing_reviews, lapse_reviews, reject, release
from app.domains.orders.service.shipments import list_shipments, reverse, ship
from app.domains.orders.service.waiting import (
    settle_account,
    waiting_checks,
    wake_all_waiting_orders,
    wake_customer,
    wake_family,
    wake_for_the_day,
    wake_regrouped,
    wake_segment,
    wake_waiting_orders,
    wake_where_orders_are_complete,
    wake_without_rate,
    woken_accounts,
)

__all__ = [
    "CheckFilter",
    "CheckView",
    "Replay",
    "ShipmentFilter",
    "StoredCheck",
    "Swept",
    "Waiting",
    "accounts_with_lapsing_reviews",
    "cancel",
    "claim",
    "close",
    "delete_older_checks",
    "find",
    "get",
    "hand_on",
    "lapse_reviews",
    "list_checks",
    "list_checks_by_stake",
    "list_notes",
    "list_orders",
    "list_shipments",
    "load",
    "note",
    "reevaluate",
    "reevaluate_waiting",
    "reject",
    "release",
    "replay",
    "reverse",
    "settle_account",
    "ship",
    "unclaim",
    "view",
    "waiting_checks",
    "wake_all_waiting_orders",
    "wake_customer",
    "wake_family",
    "wake_for_the_day",
    "wake_regrouped",
    "wake_segment",
    "wake_waiting_orders",
    "wake_where_orders_are_complete",
    "wake_without_rate",
    "woken_accounts",
]
