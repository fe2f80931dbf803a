"""What Hypothesis draws for the pipeline: amounts, and documents that the company has."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from tests.proof import documents
from tests.proof.machine import LARGEST, Machine


def amounts(currency: str, *, most: int | None = None) -> st.SearchStrategy[Decimal]:
    """Amounts with all the decimals that the currency has, large ones as often as small."""
    largest = most or LARGEST[currency]
    units = st.integers(1, largest) | st.sampled_from([largest, largest * 2 // 3, largest // 2])
    return units.map(lambda number: Decimal(number).scaleb(-documents.DIGITS[currency]))


def of(documents: str) -> st.SearchStrategy[str]:
    """The name of any document of one kind that the company has."""
    return st.runner().flatmap(lambda machine: st.sampled_from(list(getattr(machine.model, documents))))


def mostly(useful: str, documents: str) -> st.SearchStrategy[str]:
    """Of the documents of one kind mostly one of which something is left."""

    def chosen(machine: Machine) -> st.SearchStrategy[str]:
        everything, left = list(getattr(machine.model, documents)), list(getattr(machine.model, useful))
        return st.sampled_from([*left * (1 + 4 * len(everything) // (len(left) or 1)), *everything])

    return st.runner().flatmap(chosen)


def some(documents: str) -> Callable[..., Any]:
    """Only when the company has documents of this kind."""
    return precondition(lambda machine: bool(getattr(machine.model, documents)))
