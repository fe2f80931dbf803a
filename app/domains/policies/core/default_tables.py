"""The tables of the default scorecard: what a country and the letters of rating agencies are worth on the first day.

They are starting values, to be reviewed by whoever answers for the policy: see `docs/scorecard.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

WORST_CLASS: Final = 7

_COUNTRIES: Final = (
    (
        "AD AT AU BE CA CH CL CY CZ DE DK EE ES FI FR GB GR HR HU IE IL IS IT JP KR LT LU LV MC MT NL NO NZ "
        "PL PT SE SG SI SK SM US"
    ),
    "",
    "AE BG CN HK KW MY QA SA TW",
    "BW CR ID IN MA MU MX PE PH RO TH TT UY",
    "AL AW AZ BR BS CO DO GT OM PA PY RS VN ZA",
    "CI CV CW DZ FJ GE GY HN JM JO KZ MK TR UZ",
    "AM AO BA BD BH BJ BT CM EC EG KH LS ME MN MR NA NG NP PG RW SV SZ TG TL TZ UG",
    (
        "AF AG AR BF BI BO BY CD CF CG CU DJ ER ET GA GH GM GN GQ GW HT IQ IR KE KG KP LA LB LK LR LY MD MG "
        "ML MM MV MW MZ NE NI PK PS RU SD SL SN SO SR SS SY TD TJ TM TN UA VE YE ZM ZW"
    ),
)
"""By class, from 0 to 7: *Country Risk Classifications of the Participants to the Arrangement on Officially Supported
Export Credits* (OECD), valid as of 30 January 2026. What the Arrangement prices as the market does, countries of high
income of the OECD and of the euro area, is in class 0; very small countries that it does not classify are left out."""

_BEST: Final = ("AAA", "AA+", "AA", "AA-", "A+", "A")
_BELOW: Final[Sequence[tuple[str, int]]] = (
    *(("A-", 90), ("BBB+", 85), ("BBB", 80), ("BBB-", 71), ("BB+", 62), ("BB", 53), ("BB-", 42)),
    *(("B+", 31), ("B", 20), ("B-", 13), ("CCC+", 7), ("CCC", 4), ("CCC-", 2), ("CC", 1), ("C", 0)),
)
"""A letter is worth the score at which the default calibration has its one-year default rate of the long run (S&P, 1981
on: A 0.06 %, BBB 0.18 %, BB 0.72 %, B 3.76 %, CCC and below 26.78 %); the signs lie in between, and what is better than
the end of the curve gets a point each."""

_MOODYS: Final = (
    *("Aaa", "Aa1", "Aa2", "Aa3", "A1", "A2", "A3", "Baa1", "Baa2", "Baa3", "Ba1", "Ba2", "Ba3", "B1", "B2", "B3"),
    *("Caa1", "Caa2", "Caa3", "Ca", "C"),
)
"""Moody's letters in the order of the others': the usual equivalence."""


def country_risks() -> dict[str, str]:
    """The risk of each country that is classified, from 0 to 100."""
    return dict(sorted(_country_risks()))


def agency_ratings() -> dict[str, dict[str, str]]:
    """What the letters of the large rating agencies are worth, from 0 to 100, by the name of the agency."""
    letters = _letters()
    moodys = dict(zip(_MOODYS, letters.values(), strict=True))
    return {
        "Fitch": {**letters, "RD": "0", "D": "0"},
        "Moody's": moodys,
        "S&P": {**letters, "SD": "0", "D": "0"},
    }


def class_risk(number: int) -> int:
    """The risk of a class of countries."""
    return round(100 * number / WORST_CLASS)


def _country_risks() -> Iterator[tuple[str, str]]:
    for number, countries in enumerate(_COUNTRIES):
        for country in countries.split():
            yield country, str(class_risk(number))


def _letters() -> Mapping[str, str]:
    best = {letter: str(100 - place) for place, letter in enumerate(_BEST)}
    return best | {letter: str(points) for letter, points in _BELOW}
