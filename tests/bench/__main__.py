"""`make bench`: measures, prints the table, writes `bench-result.json`.

    python -m tests.bench [--quick] [--large] [--only MEASURE] [--readme]

It runs an embedded PostgreSQL and a server process of its own. `--quick` takes a minute; `--large` adds the measures
with 1,000,000 accounts and of aging 1,000,000 items; `--only` runs the measures named and writes nothing; `--readme`
only puts the last run into the README.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import asyncpg

from app.infra.clock import SystemClock
from app.infra.db import embedded
from app.infra.db.embedded import EmbeddedServer
from app.settings import Settings
from tests.bench import assessing, company, dunning, imports, measures, pgbench, receivables, report
from tests.bench.company import Customers
from tests.bench.measures import CROWDS, SPREAD, Effort, Result, Scene
from tests.bench.serving import serving

FULL: Final = Effort(rounds=5, seconds=6)
QUICK: Final = Effort(rounds=3, seconds=2)
QUICK_IMPORT: Final = 100_000
QUICK_DEBTORS: Final = 2_000
QUICK_PORTFOLIO: Final = 2_000
WARM_UP_SECONDS: Final = 3.0
LARGE: Final = Customers("L", 1_000_000, items=5)
SMALL: Final = Customers("L", 1_000, items=5)
_SETTINGS: Final = ("server_version", "synchronous_commit", "fsync", "full_page_writes")


def main() -> None:
    """Runs what the command line asks for; exits with 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measures Headroom, as ratios in one run.")
    parser.add_argument("--quick", action="store_true", help="a minute instead of several")
    parser.add_argument("--large", action="store_true", help="also with 1,000,000 accounts and 5,000,000 invoices")
    parser.add_argument("--invoices", type=int, default=1_000_000, help="how many to import")
    parser.add_argument("--debtors", type=int, default=10_000, help="how many to remind, such as 100000")
    parser.add_argument("--portfolio", type=int, default=10_000, help="how many to assess, such as 100000")
    parser.add_argument("--only", action="append", choices=MEASURES, help="only this one; may be repeated")
    parser.add_argument("--readme", action="store_true", help="only put the last run into the README")
    asked = parser.parse_args()
    if asked.readme:
        report.put_into_readme()
        return
    effort = QUICK if asked.quick else FULL
    wanted = frozenset(asked.only or MEASURES) - (frozenset() if asked.large or asked.only else {SIZE, AGING})
    with tempfile.TemporaryDirectory(prefix="headroom-bench-") as name:
        directory = Path(name)
        directory.chmod(0o711)  # the embedded server of root runs as somebody else
        results, settings = _measure(directory, effort, wanted)
        if IMPORT in wanted:
            results.append(_measure_import(directory, effort, QUICK_IMPORT if asked.quick else asked.invoices))
        if POSTINGS in wanted:
            results.append(_measure_postings(directory, effort))
        if AGING in wanted:
            results += _measure_aging(directory, effort, asked.quick)
        if DUNNING in wanted:
            results.append(_measure_dunning(directory, effort, QUICK_DEBTORS if asked.quick else asked.debtors))
        if ASSESSMENTS in wanted:
            results.append(_measure_assessments(directory, effort, QUICK_PORTFOLIO if asked.quick else asked.portfolio))
        if SIZE in wanted:
            results.append(_measure_size(directory, effort))
    run = report.document(results, effort, settings, on=SystemClock().now().date().isoformat())
    if not asked.only:
        report.write(run)
    print(report.text(run))
    sys.exit(not all(result.met for result in results))


def _measure(directory: Path, effort: Effort, wanted: Set[str]) -> tuple[list[Result], dict[str, str]]:
    """What one server with one company can show; nothing is started when nothing of it is wanted."""
    if not wanted & _TOGETHER.keys():
        return [], {}
    with _company(directory, "bench", CROWDS) as server, serving(server.url, directory / "server.log") as serving_one:
        scene = Scene(serving_one, effort)
        settings = asyncio.run(_settings(server))
        _warm_up(Scene(serving_one, Effort(1, WARM_UP_SECONDS)))
        statement = directory / "check.sql"
        statement.write_text(asyncio.run(pgbench.script(server, SPREAD)))
        statement.chmod(0o644)

        def transactions() -> float:
            return pgbench.run(server, statement, seconds=effort.seconds)

        return [measure(scene, effort, transactions) for name, measure in _TOGETHER.items() if name in wanted], settings


_TOGETHER: Final[Mapping[str, Callable[[Scene, Effort, Callable[[], float]], Result]]] = {
    "throughput": lambda scene, effort, _: measures.throughput(scene, effort),
    "contention": lambda scene, effort, _: measures.contention(scene, effort),
    "batches": measures.batches,
    "items": lambda scene, effort, _: measures.items(scene, effort),
    "overload": lambda scene, effort, _: measures.overload(scene, effort),
    "latency": lambda scene, effort, _: measures.latency(scene, effort),
}
"""The measures that one server with one company can show."""
IMPORT: Final = "import"
DUNNING: Final = "dunning"
ASSESSMENTS: Final = "assessments"
SIZE: Final = "size"
POSTINGS: Final = "postings"
AGING: Final = "aging"
MEASURES: Final = (*_TOGETHER, IMPORT, POSTINGS, AGING, DUNNING, ASSESSMENTS, SIZE)


def _measure_import(directory: Path, effort: Effort, invoices: int) -> Result:
    with _company(directory, "import", [imports.BILLED]) as server:
        return imports.measure(server, directory, effort, invoices=invoices)


def _measure_postings(directory: Path, effort: Effort) -> Result:
    with (
        _company(directory, "postings", [receivables.POSTED]) as server,
        serving(server.url, directory / "postings.log") as process,
    ):
        return receivables.posting(server, process, directory, effort)


def _measure_aging(directory: Path, effort: Effort, quick: bool) -> list[Result]:
    crowd = receivables.AGED_SMALL if quick else receivables.AGED
    with (
        _company(directory, "aging", [crowd]) as server,
        serving(server.url, directory / "aging.log") as process,
    ):
        return receivables.aging(server, process, effort, crowd)


def _measure_dunning(directory: Path, effort: Effort, customers: int) -> Result:
    with _company(directory, "dunning", [dunning.debtors(customers)]) as server:
        return dunning.measure(server, effort, customers=customers)


def _measure_assessments(directory: Path, effort: Effort, customers: int) -> Result:
    with _company(directory, "assessments", [assessing.portfolio(customers)]) as server:
        return assessing.measure(server, effort, customers=customers)


def _measure_size(directory: Path, effort: Effort) -> Result:
    """Both databases on servers of their own, at the same time, so that rounds can alternate."""
    with ExitStack() as stack:
        scenes = []
        for name, crowd in (("large", LARGE), ("small", SMALL)):
            server = stack.enter_context(_company(directory, name, [crowd]))
            process = stack.enter_context(serving(server.url, directory / f"{name}.log"))
            Scene(process, Effort(1, WARM_UP_SECONDS)).checks_per_second(crowd)
            scenes.append(Scene(process, effort))
        return measures.size(scenes[0], scenes[1], effort, (LARGE, SMALL))


@contextmanager
def _company(directory: Path, name: str, crowds: list[Customers]) -> Iterator[EmbeddedServer]:
    """A database with `crowds` on a server of its own; after the block nothing in it may have drifted."""
    with embedded.running(directory / name) as server:
        _say(f"founding {sum(crowd.count for crowd in crowds):,} customers")
        asyncio.run(company.found(Settings(database_url=server.url), crowds))
        yield server
        drifted = asyncio.run(company.drift(server.url))
        if drifted:
            sys.exit(f"{drifted} accounts differ from their ledger or documents: the figures count for nothing")


def _warm_up(scene: Scene) -> None:
    """Fills caches and plans, and writes each page once after the checkpoint."""
    _say("warming up")
    scene.bare_per_second()
    scene.checks_per_second(SPREAD)
    scene.checks_per_second(measures.HOT)
    scene.batched_per_second()


async def _settings(server: EmbeddedServer) -> dict[str, str]:
    connection = await asyncpg.connect(server.dsn)
    try:
        found = {name: await connection.fetchval(f"show {name}") for name in _SETTINGS}
    finally:
        await connection.close()
    unsafe = [name for name in _SETTINGS[1:] if found[name] != "on"]
    assert not unsafe, f"durability is not for sale: {unsafe}"
    return {"PostgreSQL": found.pop("server_version"), **found}


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
