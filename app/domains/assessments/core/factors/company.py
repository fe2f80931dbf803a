"""The company itself: its age and size, and the risks of its industry and country, from tables in the policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from app.domains.assessments.core.factors.asked import Asked, Reading, reading
from app.domains.policies.core.factors import Factor, Independence

MASTER_DATA: Final = "customer"
POLICY: Final = "policy"
YEAR_DAYS: Final = Decimal("365.25")

SIZE_CLASSES: Final[Mapping[str, int]] = {"micro": 1, "small": 2, "medium": 3, "large": 4, "public_body": 5}


def age_years(asked: Asked) -> Reading | None:
    """Years since the foundation, of 365.25 days."""
    founded_on, on = asked.facts.company.founded_on, asked.facts.on
    if founded_on is None or founded_on > on:
        return None
    return reading((on - founded_on).days / YEAR_DAYS, MASTER_DATA, Independence.SELF_DECLARED, on)


def size_class(asked: Asked) -> Reading | None:
    """1 micro, 2 small, 3 medium, 4 large, 5 public body."""
    size = asked.facts.company.size
    return reading(SIZE_CLASSES.get(size or ""), MASTER_DATA, Independence.SELF_DECLARED, asked.facts.on)


def industry_risk(asked: Asked) -> Reading | None:
    """The risk of the customer's industry in the policy's table, from 0, none, to 100.

    A code of a classification (letters, digits, dots) takes the longest entry that it begins with: C26.1 the entry C26.
    Anything else has to stand in the table as it is, in capitals or not.
    """
    industry = asked.facts.company.industry
    if industry is None:
        return None
    table = {name.casefold(): risk for name, risk in asked.scorecard.industry_risk.items()}
    name = industry.casefold()
    risk = table.get(name)
    if risk is None and _is_code(name):
        risk = next((table[name[:end]] for end in range(len(name), 0, -1) if name[:end] in table), None)
    return reading(risk, POLICY, Independence.SELF_DECLARED, asked.facts.on)


def country_risk(asked: Asked) -> Reading | None:
    """The risk of the customer's country in the policy's table, from 0, none, to 100."""
    risk = asked.scorecard.country_risk.get(asked.facts.company.country)
    return reading(risk, POLICY, Independence.AGENCY, asked.facts.on)


def _is_code(name: str) -> bool:
    return any(character.isdigit() for character in name) and name.replace(".", "").isalnum()


FACTORS: Final[Mapping[Factor, Callable[[Asked], Reading | None]]] = {
    Factor.AGE_YEARS: age_years,
    Factor.SIZE_CLASS: size_class,
    Factor.INDUSTRY_RISK: industry_risk,
    Factor.COUNTRY_RISK: country_risk,
}
