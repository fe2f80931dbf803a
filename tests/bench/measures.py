"""The measures: each compares two ways in one run, alternating, and takes the median of the rounds."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.bench import bare
from tests.bench.company import Customers
from tests.bench.load import BATCH, CHECKS, Load, drive, flood
from tests.bench.serving import Server

MANY_CONNECTIONS: Final = 64
BATCH_ITEMS: Final = 500
BATCH_CONNECTIONS: Final = 4
BATCH_SECONDS_MIN: Final = 4.0
"""A batch takes a good part of a second: in less time, chance would decide how many end in it."""

OVERLOAD: Final = 3

SPREAD: Final = Customers("S", 10_000)
HOT: Final = Customers("HOT", 1)
FEW_ITEMS: Final = Customers("FEW", 1, items=10, late=5)
MANY_ITEMS: Final = Customers("MANY", 1, items=100_000, late=5)
CROWDS: Final = [SPREAD, HOT, FEW_ITEMS, MANY_ITEMS]


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure: so many rounds of so many seconds, after warming up."""

    rounds: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Goal:
    """What a ratio has to be: at least, or at most; and what it should be."""

    bound: float
    aim: float
    at_least: bool

    def met(self, ratio: float) -> bool:
        """Whether `ratio` is within the bound."""
        return ratio >= self.bound if self.at_least else ratio <= self.bound

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return f"{sign} {self.bound:g}" + (f" (aim {self.aim:g})" if self.aim != self.bound else "")


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table: medians of both ways in `unit`, and their ratio."""

    name: str
    against: str
    unit: str
    ours: float
    theirs: float
    goal: Goal
    rounds: list[tuple[float, float]]

    @property
    def ratio(self) -> float:
        """Ours to theirs: the median of the ratios of the rounds, each of which met the same neighbours."""
        return statistics.median(ours / theirs for ours, theirs in self.rounds)

    @property
    def met(self) -> bool:
        """Whether the goal is met."""
        return self.goal.met(self.ratio)


Way = Callable[[], float]
"""Measures once; the figure of one round."""


def compare(effort: Effort, name: str, against: str, *, unit: str, ours: Way, theirs: Way, goal: Goal) -> Result:
    """Alternates both ways, whichever began last beginning next, so that neither always has the better place."""
    rounds = []
    for number in range(effort.rounds):
        if number % 2:
            second = ours()
            rounds.append((second, theirs()))
        else:
            first = theirs()
            rounds.append((ours(), first))
        print(f"  {name}: {rounds[-1][0]:,.1f} / {rounds[-1][1]:,.1f} {unit}", file=sys.stderr, flush=True)
    medians = [statistics.median(figures) for figures in zip(*rounds, strict=True)]
    return Result(name, against, unit, medians[0], medians[1], goal, rounds)


class Scene:
    """One server under load, in the words of the measures."""

    def __init__(self, server: Server, effort: Effort) -> None:
        self._server = server
        self._seconds = effort.seconds

    def checks_per_second(self, customers: Customers) -> float:
        """Single checks on 64 connections."""
        return drive(self._server, Load(CHECKS, customers, MANY_CONNECTIONS, self._seconds)).per_second

    def bare_per_second(self) -> float:
        """Requests to the bare endpoint on 64 connections."""
        return drive(self._server, Load(bare.PATH, SPREAD, MANY_CONNECTIONS, self._seconds)).per_second

    def batched_per_second(self) -> float:
        """Decisions in batches of 500, four batches under way."""
        load = Load(BATCH, SPREAD, BATCH_CONNECTIONS, max(self._seconds, BATCH_SECONDS_MIN), items=BATCH_ITEMS)
        return drive(self._server, load).per_second * BATCH_ITEMS

    def peak_per_second(self) -> float:
        """Single checks on 64 connections."""
        return self.checks_per_second(SPREAD)

    def served_per_second(self, offered: float) -> float:
        """Checks that are decided in time when so many a second are asked for. Every other is told to come again."""
        return flood(self._server, SPREAD, offered, self._seconds)

    def check_milliseconds(self, customers: Customers) -> float:
        """The median time of a check, one client."""
        return drive(self._server, Load(CHECKS, customers, 1, self._seconds)).p50 / 1000

    def bare_milliseconds(self) -> float:
        """The median time of the bare endpoint, one client."""
        return drive(self._server, Load(bare.PATH, SPREAD, 1, self._seconds)).p50 / 1000


def throughput(scene: Scene, effort: Effort) -> Result:
    """Checks against the bare endpoint, 64 connections."""
    return compare(
        effort,
        "credit checks, 64 connections, 10,000 customers",
        "bare endpoint",
        unit="requests/s",
        ours=lambda: scene.checks_per_second(SPREAD),
        theirs=scene.bare_per_second,
        goal=Goal(0.6, 0.8, at_least=True),
    )


def contention(scene: Scene, effort: Effort) -> Result:
    """All on one customer against all customers."""
    return compare(
        effort,
        "the same, all on one customer",
        "spread over 10,000",
        unit="requests/s",
        ours=lambda: scene.checks_per_second(HOT),
        theirs=lambda: scene.checks_per_second(SPREAD),
        goal=Goal(0.95, 0.95, at_least=True),
    )


def batches(scene: Scene, effort: Effort, pgbench: Way) -> Result:
    """Decisions in batches against the database writing the same rows by itself."""
    return compare(
        effort,
        f"batches of {BATCH_ITEMS}",
        "pgbench, prepared, 16 clients, the same six rows",
        unit="decisions/s",
        ours=scene.batched_per_second,
        theirs=pgbench,
        goal=Goal(0.5, 0.9, at_least=True),
    )


def items(scene: Scene, effort: Effort) -> Result:
    """A customer with many open items against one with few."""
    return compare(
        effort,
        "check of a customer with 100,000 open items",
        "with 10",
        unit="ms",
        ours=lambda: scene.check_milliseconds(MANY_ITEMS),
        theirs=lambda: scene.check_milliseconds(FEW_ITEMS),
        goal=Goal(1.2, 1.2, at_least=False),
    )


def latency(scene: Scene, effort: Effort) -> Result:
    """One client: a check against the bare endpoint."""
    return compare(
        effort,
        "check, one client, p50",
        "bare endpoint, p50",
        unit="ms",
        ours=lambda: scene.check_milliseconds(SPREAD),
        theirs=scene.bare_milliseconds,
        goal=Goal(6, 4, at_least=False),
    )


def overload(scene: Scene, effort: Effort) -> Result:
    """Three times as many checks as the server can decide, against as many as it can."""
    peaks: list[float] = []

    def peak() -> float:
        peaks.append(scene.peak_per_second())
        return peaks[-1]

    return compare(
        effort,
        "credit checks decided when three times the peak are asked for, the others answered 503",
        "the peak: 64 connections",
        unit="checks/s",
        ours=lambda: scene.served_per_second(OVERLOAD * (peaks[-1] if peaks else peak())),
        theirs=peak,
        goal=Goal(0.8, 0.9, at_least=True),
    )


def size(large: Scene, small: Scene, effort: Effort, crowds: tuple[Customers, Customers]) -> Result:
    """A large database against a small one, each with a server of its own."""
    return compare(
        effort,
        "check among 1,000,000 accounts and 5,000,000 invoices",
        "1,000 and 5,000",
        unit="ms",
        ours=lambda: large.check_milliseconds(crowds[0]),
        theirs=lambda: small.check_milliseconds(crowds[1]),
        goal=Goal(1.3, 1.3, at_least=False),
    )
