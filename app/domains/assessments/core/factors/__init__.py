"""The library of factors: one module per family, and one table of them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from app.domains.assessments.core.factors import (
    adverse,
    agency,
    altman,
    company,
    ohlson,
    payment,
    questionnaire,
    ratios,
    springate,
    working_assets,
    zmijewski,
)
from app.domains.assessments.core.factors.asked import Asked, Reading
from app.domains.policies.core.factors import Factor

LIBRARY: Final[Mapping[Factor, Callable[[Asked], Reading | None]]] = {
    **ratios.FACTORS,
    **altman.FACTORS,
    **zmijewski.FACTORS,
    **ohlson.FACTORS,
    **springate.FACTORS,
    **working_assets.FACTORS,
    **payment.FACTORS,
    **agency.FACTORS,
    **company.FACTORS,
    **adverse.FACTORS,
    **questionnaire.FACTORS,
}


def read(factor: Factor, asked: Asked) -> Reading | None:
    """What the facts say of the factor, too old or not; null where they say nothing."""
    return LIBRARY[factor](asked)
