from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
import pytest

from app.kernel.records import RecordMalformed, load


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Leaf:
    amount: Decimal
    colour: Colour = Colour.RED


@dataclass(frozen=True, slots=True)
class Tree:
    id: UUID
    at: datetime
    on: date
    height: int
    evergreen: bool
    name: str | None
    leaves: tuple[Leaf, ...] = ()
    by_region: Mapping[str, Decimal] = field(default_factory=dict)
    parent: Tree | None = None


OAK = Tree(
    id=UUID(int=7),
    at=datetime(2026, 5, 4, 3, 2, 1, 123456, UTC),
    on=date(2026, 5, 4),
    height=12,
    evergreen=False,
    name=None,
    leaves=(Leaf(Decimal("1.50")), Leaf(Decimal("-3E+2"))),
    by_region={"北": Decimal(1)},
    parent=Tree(UUID(int=8), datetime(1999, 1, 1, tzinfo=UTC), date.max, 0, evergreen=True, name=""),
)


def stored(record: Any) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(orjson.dumps(record, default=str))
    return document


class TestLoad:
    def test_gives_back_what_was_stored(self) -> None:
        assert load(Tree, stored(OAK)) == OAK

    def test_keeps_the_decimals_as_they_were_written(self) -> None:
        assert str(load(Tree, stored(OAK)).leaves[0].amount) == "1.50"

    def test_takes_the_default_of_a_missing_member(self) -> None:
        assert load(Leaf, {"amount": "1"}) == Leaf(Decimal(1), Colour.RED)

    def test_refuses_a_missing_member_without_default(self) -> None:
        with pytest.raises(RecordMalformed, match="lacks 'amount'"):
            load(Leaf, {})

    def test_refuses_a_member_that_nobody_knows(self) -> None:
        with pytest.raises(RecordMalformed, match="no member 'weight'"):
            load(Leaf, {"amount": "1", "weight": "2"})

    @pytest.mark.parametrize(
        ("member", "value"),
        [
            ("id", "seven"),
            ("at", "yesterday"),
            ("on", 20260504),
            ("height", "12"),
            ("height", True),
            ("height", 1.0),
            ("evergreen", 0),
            ("name", 5),
            ("leaves", {"amount": "1"}),
            ("leaves", [{"amount": 1}]),
            ("leaves", [{"amount": "1", "colour": "blue"}]),
            ("leaves", [{"amount": "NaN"}]),
            ("by_region", {"n": "much"}),
            ("by_region", []),
            ("parent", "none"),
        ],
    )
    def test_refuses_a_value_of_another_kind(self, member: str, value: Any) -> None:
        with pytest.raises(RecordMalformed, match=member):
            load(Tree, {**stored(OAK), member: value})

    @pytest.mark.parametrize("document", [None, [], "{}", 1])
    def test_refuses_what_is_no_object(self, document: Any) -> None:
        with pytest.raises(RecordMalformed, match="object"):
            load(Leaf, document)


@dataclass(frozen=True, slots=True)
class Ambiguous:
    either: int | str


@dataclass(frozen=True, slots=True)
class Pair:
    both: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Counted:
    names: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Measured:
    metres: float


class TestFormat:
    @pytest.mark.parametrize("cls", [Ambiguous, Pair, Counted, Measured])
    def test_refuses_a_class_whose_stored_form_is_not_clear(self, cls: type[Any]) -> None:
        with pytest.raises(TypeError):
            load(cls, {"either": 1, "both": [1, 2], "names": {}, "metres": 1.5})
