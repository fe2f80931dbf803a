"""Load: credit checks as fast as so many connections can send them, by wrk or by the generator that comes along."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from app.infra.http.admission import MAX_CHECKS
from tests.bench.company import Customers
from tests.bench.serving import KEY, Server

CHECKS: Final = "/v1/credit-checks"
BATCH: Final = "/v1/credit-checks/batch"

CROWD: Final = 2_000
"""Connections of a flood by wrk. Each waits before it asks again, so that all together ask at the wanted rate."""
FLOOD_SECONDS_MIN: Final = 12.0
"""Some tenths of a second pass until a crowd is connected, and what is under way at the end counts for nothing."""
OFFERED_MIN: Final = 0.9
"""The share of the wanted rate that a flood has to reach."""

_SCRIPT: Final = Path(__file__).with_name("check.lua")
_FLOOD: Final = Path(__file__).with_name("flood.lua")
_RESULT: Final = re.compile(r"^RESULT (.*)$", re.MULTILINE)
_GRACE_SECONDS: Final = 60
_runs = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent: `items` 0 is a single check, else a batch of so many; every check has an order of its own."""

    path: str
    customers: Customers
    connections: int
    seconds: float
    items: int = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """What came back; percentiles in microseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    errors: int

    @property
    def per_second(self) -> float:
        """Requests answered in a second."""
        return self.requests / self.seconds


class LoadFailed(RuntimeError):
    """The load was not answered as it should be: nothing was measured."""


def generator() -> str:
    """What drives the load here."""
    return "wrk" if shutil.which("wrk") else "bundled"


def drive(server: Server, load: Load) -> Measured:
    """Sends `load` until its time is up. Raises `LoadFailed` when any answer is an error.

    Batches are always sent by the generator that comes along: it waits for those under way when time is up, where wrk
    forgets them, and each is a good part of the whole.
    """
    bundled = bool(load.items) or generator() != "wrk"
    command = _bundled(server, load) if bundled else _wrk(server, load)
    done = subprocess.run(command, capture_output=True, text=True, timeout=load.seconds + _GRACE_SECONDS, check=False)
    found = _RESULT.search(done.stdout)
    if done.returncode or found is None:
        raise LoadFailed(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    measured = Measured(**json.loads(found[1]))
    if measured.errors or not measured.requests:
        raise LoadFailed(f"{load}: {asdict(measured)}\n{done.stdout}")
    return measured


def flood(server: Server, customers: Customers, per_second: float, seconds: float) -> float:
    """Checks decided in a second when `per_second` are asked for, whether or not those before them were answered.

    Raises `LoadFailed` when one is answered neither by a decision nor by when to come again.
    """
    seconds = max(seconds, FLOOD_SECONDS_MIN)
    flooding = _flood_by_wrk if generator() == "wrk" else _flood_bundled
    command = flooding(server, customers, per_second, seconds)
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 2 * _GRACE_SECONDS, check=False)
    found = _RESULT.search(done.stdout)
    if done.returncode or found is None:
        raise LoadFailed(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    told = json.loads(found[1])
    print(f"  {found[1]}", file=sys.stderr, flush=True)
    wrong = told["others"] or told["without_retry_after"] or not told["refused"]
    if wrong or told["offered"] < OFFERED_MIN * per_second:
        raise LoadFailed(f"{per_second} a second: {told}")
    return float(told["served"])


def _flood_by_wrk(server: Server, customers: Customers, per_second: float, seconds: float) -> list[str]:
    asking = CROWD - MAX_CHECKS  # the others are let in and wait for their answer, not for their turn to ask
    options = ["-t1", f"-c{CROWD}", f"-d{max(round(seconds), 1)}s", "--timeout", "20s"]
    told = [CHECKS, KEY, customers.prefix, str(customers.count), f"R{next(_runs)}", str(per_second), str(asking)]
    return ["wrk", *options, "-s", str(_FLOOD), server.url, "--", *told]


def _flood_bundled(server: Server, customers: Customers, per_second: float, seconds: float) -> list[str]:
    options = [server.host, str(server.port), str(per_second), str(seconds), KEY]
    told = [*options, customers.prefix, str(customers.count), f"R{next(_runs)}"]
    return [sys.executable, "-m", "tests.bench.overload", *told]


def _wrk(server: Server, load: Load) -> list[str]:
    options = ["-t1", f"-c{load.connections}", f"-d{max(round(load.seconds), 1)}s", "--timeout", "20s"]
    return ["wrk", *options, "-s", str(_SCRIPT), server.url, "--", *_arguments(load)]


def _bundled(server: Server, load: Load) -> list[str]:
    options = [server.host, str(server.port), str(load.connections), str(load.seconds)]
    return [sys.executable, "-m", "tests.bench.generator", *options, *_arguments(load)]


def _arguments(load: Load) -> list[str]:
    run = f"R{next(_runs)}"
    return [load.path, KEY, load.customers.prefix, str(load.customers.count), run, str(load.items)]
