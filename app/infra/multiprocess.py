"""Metrics of several processes on one machine, which share a directory (`PROMETHEUS_MULTIPROC_DIR`).

Each process writes files named for its pid; whoever is asked sums them up. Without the directory a process speaks for
itself alone.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, multiprocess

DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"


def registry() -> CollectorRegistry:
    """What to answer a scrape from. Gauges of processes that are gone are left out, their counts stay."""
    directory = _directory()
    if directory is None:
        return REGISTRY
    for pid in _dead(directory):
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
    shared = CollectorRegistry()
    multiprocess.MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return shared


def start_afresh() -> None:
    """At the start of a process: if it is the first, removes what an earlier generation of processes left.

    Counts begin at zero then, as they do after the restart of a single process, and files do not pile up.
    """
    directory = _directory()
    if directory is None or _pids(directory) - _dead(directory) - {os.getpid()}:
        return
    for pid in _dead(directory):
        for path in directory.glob(f"*_{pid}.db"):
            path.unlink(missing_ok=True)


def _directory() -> Path | None:
    name = os.environ.get(DIRECTORY)
    return Path(name) if name else None


def _pids(directory: Path) -> set[int]:
    """The processes that files in `directory` are named for: `counter_4711.db`, `gauge_livemax_4711.db`."""
    names = (path.stem.rpartition("_")[2] for path in directory.glob("*.db"))
    return {int(name) for name in names if name.isdigit()}


def _dead(directory: Path) -> set[int]:
    return {pid for pid in _pids(directory) if not _alive(pid)}


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
