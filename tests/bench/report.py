"""What the bench says: the table, the machine it was measured on, JSON, and the place in the README."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from tests.bench.generator import SEED
from tests.bench.load import generator
from tests.bench.measures import Effort, Result

RESULT: Final = Path("bench-result.json")
README: Final = Path("README.md")
_PARTS: Final = ("fastapi", "uvicorn", "sqlalchemy", "asyncpg", "pydantic")
_PLACE: Final = re.compile(r"(<!-- bench -->\n).*?(<!-- /bench -->)", re.DOTALL)


def document(results: Sequence[Result], effort: Effort, database: dict[str, str], *, on: str) -> dict[str, Any]:
    """Everything about one run; `database` are the settings that matter, `on` is the day."""
    return {
        "on": on,
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "system": platform.platform()},
        "versions": {
            "headroom": version("headroom"),
            "python": platform.python_version(),
            **{name: version(name) for name in _PARTS},
        },
        "database": database,
        "load": {"generator": generator(), "seed": SEED, **asdict(effort)},
        "results": [{**asdict(result), "ratio": round(result.ratio, 3), "met": result.met} for result in results],
        "table": table(results),
    }


def table(results: Sequence[Result]) -> str:
    """The results as Markdown."""
    lines = ["| measure | ours | against | theirs | ratio | goal | |", "|---|---:|---|---:|---:|---|---|"]
    for result in results:
        ours, theirs = _figure(result.ours, result.unit), _figure(result.theirs, result.unit)
        met = "yes" if result.met else "**no**"
        lines.append(
            f"| {result.name} | {ours} | {result.against} | {theirs} | {result.ratio:.2f} | {result.goal} | {met} |"
        )
    return "\n".join(lines)


def text(run: dict[str, Any]) -> str:
    """The table and the circumstances, as the README shows them."""
    machine, load, parts = run["machine"], run["load"], run["versions"]
    names = ", ".join(f"{name} {number}" for name, number in parts.items())
    settings = ", ".join(f"{name} {value}" for name, value in run["database"].items())
    rounds = f"medians of {load['rounds']} alternating rounds of {load['seconds']:g} s"
    circumstances = (
        f"{machine['processor']}, {machine['cores']} cores shared by load, server and database",
        names,
        settings,
        f"{load['generator']}, seed {load['seed']}, {rounds}",
    )
    return f"{run['table']}\n\nMeasured on {run['on']}: {'; '.join(circumstances)}.\n"


def write(run: dict[str, Any]) -> None:
    """Writes the JSON of a run."""
    RESULT.write_text(json.dumps(run, indent=2, ensure_ascii=False) + "\n")


def put_into_readme() -> None:
    """Puts the last run between the marks in the README."""
    run = json.loads(RESULT.read_text())
    readme = README.read_text()
    if not _PLACE.search(readme):
        sys.exit(f"{README} has no place for the table: <!-- bench --> and <!-- /bench -->")
    README.write_text(_PLACE.sub(lambda place: f"{place[1]}{text(run)}{place[2]}", readme))


def _figure(value: float, unit: str) -> str:
    return f"{value:.2f} ms" if unit == "ms" else f"{value:,.0f} {unit}"


def _processor() -> str:
    found = Path("/proc/cpuinfo")
    if found.exists():
        for line in found.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
