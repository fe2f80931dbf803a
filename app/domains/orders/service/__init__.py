"""Use cases of orders, by topic: orders, shipments, stored credit checks and their reviews.

Deciding new checks is the desk's: see `app.domains.orders.desk`.
"""

from app.domains.orders.repository import CheckFilter, ShipmentFilter, StoredCheck
from app.domains.orders.service.checks import CheckView, Replay, find, list_checks, replay, view
from app.domains.orders.service.orders import cancel, close, get, list_orders, load
from app.domains.orders.service.retention import Swept, delete_older_checks
from app.domains.orders.service.reviews import (
    accounts_with_lapsing_reviews,
    lapse_reviews,
    reevaluate,
    reject,
    release,
)
from app.domains.orders.service.shipments import list_shipments, reverse, ship

__all__ = [
    "CheckFilter",
    "CheckView",
    "Replay",
    "ShipmentFilter",
    "StoredCheck",
    "Swept",
    "accounts_with_lapsing_reviews",
    "cancel",
    "close",
    "delete_older_checks",
    "find",
    "get",
    "lapse_reviews",
    "list_checks",
    "list_orders",
    "list_shipments",
    "load",
    "reevaluate",
    "reject",
    "release",
    "replay",
    "reverse",
    "ship",
    "view",
]
