"""SQL of the read side: the proofs, the portfolio, and reports over all accounts."""

from app.domains.monitoring.repository.proofs import (
    desks,
    drifts_of_accounts,
    drifts_of_groups,
    next_accounts,
    next_groups,
    portfolio,
    take_snapshot,
)

__all__ = [
    "desks",
    "drifts_of_accounts",
    "drifts_of_groups",
    "next_accounts",
    "next_groups",
    "portfolio",
    "take_snapshot",
]
