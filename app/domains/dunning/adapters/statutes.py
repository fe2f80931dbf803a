"""The law of late payment as it comes with the program: rules and reference rates, from a file of data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

from app.domains.dunning.core.interest import CompensationStep, Follows, ReferenceRate, Sets, Statutes, StatutoryRule

FILE: Final = Path(__file__).parents[1] / "data" / "statutory.json"


@cache
def packaged() -> Statutes:
    """What the file says; rates that were entered since are in the database."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    rules = {
        rule["jurisdiction"]: StatutoryRule(
            jurisdiction=rule["jurisdiction"],
            reference=rule["reference"],
            margin_percent=Decimal(rule["margin_percent"]),
            factor=Decimal(rule["factor"]),
            sets=Sets(rule["sets"]),
            compensation=tuple(
                CompensationStep(step["currency"], Decimal(step["from"]), Decimal(step["amount"]))
                for step in rule["compensation"]
            ),
            source=rule["source"],
            follows=Follows(rule["follows"]),
        )
        for rule in document["rules"]
    }
    rates = [
        ReferenceRate(reference, date.fromisoformat(day), Decimal(percent), _source(document, reference, day))
        for reference, by_day in document["rates"].items()
        for day, percent in by_day.items()
    ]
    return Statutes(rules, {}).with_rates(rates)


def _source(document: Mapping[str, Any], reference: str, day: str) -> str:
    """Where the rate of a day was read, and when; empty for one that was not found anywhere."""
    found = (each["source"] for each in document["sources"][reference] if each["from"] <= day <= each["until"])
    source = next(found, "")
    return f"{source} ({document['looked_up_on']})" if source else ""
