"""Use cases of the read side, as jobs, commands and routes call them:

from app.domains.monitoring import service as monitoring
"""

from app.domains.monitoring.service.proofs import (
    Proof,
    Tally,
    desks,
    portfolio,
    prove_accounts,
    prove_all,
    prove_groups,
)
from app.domains.monitoring.service.reports import aging_report, cash_forecast

__all__ = [
    "Proof",
    "Tally",
    "aging_report",
    "cash_forecast",
    "desks",
    "portfolio",
    "prove_accounts",
    "prove_all",
    "prove_groups",
]
