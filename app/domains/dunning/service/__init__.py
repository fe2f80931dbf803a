"""Use cases of dunning, by topic, as the routes, the jobs and the slices above call them:

from app.domains.dunning import service as dunning

view = await dunning.runs.propose(tx, segment="main")
"""

from app.domains.dunning.service import (
    claims,
    contents,
    delivering,
    forgetting,
    outlook,
    pending,
    promises,
    rates,
    reacting,
    runs,
    schedule,
    standing,
    stops,
    tasks,
    watch,
)

__all__ = [
    "claims",
    "contents",
    "delivering",
    "forgetting",
    "outlook",
    "pending",
    "promises",
    "rates",
    "reacting",
    "runs",
    "schedule",
    "standing",
    "stops",
    "tasks",
    "watch",
]
