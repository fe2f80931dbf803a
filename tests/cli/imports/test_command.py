"""`headroom import`, against a real database."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from app.cli import main
from tests.support.cluster import libpq

Import = Callable[..., Awaitable[Result]]
Ask = Callable[[str], Awaitable[Sequence[Any]]]

CUSTOMERS = (
    "customer_id,name,country,currency,parent_id\nC2,Child,CN,CNY,C1\nC1,Parent,CN,CNY,\nC3,Grandchild,CN,CNY,C2\n"
)
INVOICES = "invoice_no,customer_id,amount,currency,issued_on,due_on,received_on\n"
LINES = [
    "I3,C1,30.00,CNY,2026-01-30,2026-02-28,",
    "I1,C1,10.00,CNY,2026-01-10,2026-02-10,2026-01-20",
    "I2,C2,20.00,CNY,2026-01-20,2026-02-20,",
]


@pytest.fixture
def bring_in(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Import:
    """Imports a text as a file of a kind."""
    monkeypatch.setenv("HEADROOM_DATABASE_URL", database_url)
    monkeypatch.setattr("app.cli.environment.configure_logging", lambda *_: None)

    async def run(kind: str, content: str, *options: str) -> Result:
        path = tmp_path / f"{kind}.csv"
        path.write_text(content, encoding="utf-8")
        return await asyncio.to_thread(CliRunner().invoke, main, ["import", kind, str(path), *options])

    return run


@pytest.fixture
def ask(database_url: str) -> Ask:
    """The rows of a query."""

    async def rows(query: str) -> Sequence[Any]:
        connection = await asyncpg.connect(libpq(database_url))
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    return rows


class TestCustomers:
    async def test_may_come_before_their_parents(self, bring_in: Import, ask: Ask) -> None:
        result = await bring_in("customers", CUSTOMERS)
        assert "posted: 3, unchanged: 0, refused: 0" in result.output, result.output
        assert await ask("select customer_id from accounts order by 1") == [("C1",), ("C2",), ("C3",)]

    async def test_are_not_changed_by_a_repetition(self, bring_in: Import, ask: Ask) -> None:
        await bring_in("customers", CUSTOMERS)
        before = await ask("select count(*) from events")
        assert "posted: 0, unchanged: 3" in (await bring_in("customers", CUSTOMERS)).output
        assert await ask("select count(*) from events") == before

    async def test_that_are_wrong_stop_no_other(self, bring_in: Import, ask: Ask) -> None:
        more = "C4,Orphan,CN,CNY,C9\nC5,Nowhere,XX,CNY,\nC6,Fine,CN,CNY,\n"
        result = await bring_in("customers", CUSTOMERS + more)
        assert result.exit_code == 1
        assert "posted: 4, unchanged: 0, refused: 2" in result.output
        assert "line 5 (C4): parent_id: there is no customer 'C9'" in result.output
        assert await ask("select count(*) from customers") == [(4,)]


class TestInvoices:
    async def test_are_posted_with_their_payments_in_the_order_of_their_days(self, bring_in: Import, ask: Ask) -> None:
        await bring_in("customers", CUSTOMERS)
        result = await bring_in("invoices", INVOICES + "\n".join(LINES))
        assert "lines: 3; posted: 4, unchanged: 0, refused: 0" in result.output, result.output
        ledger = await ask(
            "select source_ref from ledger join accounts a on a.id = account_id where a.customer_id = 'C1' order by seq"
        )
        assert ledger == [("I1",), ("I1/settled",), ("I3",)]
        assert await ask("select distinct entered_by from open_items") != [("system",)]

    async def test_are_posted_once_however_often_they_come(self, bring_in: Import, ask: Ask) -> None:
        await bring_in("customers", CUSTOMERS)
        await bring_in("invoices", INVOICES + "\n".join(LINES))
        before = await ask("select * from accounts order by id")
        result = await bring_in("invoices", INVOICES + "\n".join(reversed(LINES)))
        assert "posted: 0, unchanged: 4, refused: 0" in result.output
        assert await ask("select * from accounts order by id") == before

    async def test_that_say_something_else_the_second_time_are_refused(self, bring_in: Import) -> None:
        await bring_in("customers", CUSTOMERS)
        await bring_in("invoices", INVOICES + LINES[0])
        result = await bring_in("invoices", INVOICES + LINES[0].replace("30.00", "31.00"))
        assert result.exit_code == 1
        assert "I3 was posted with other contents" in result.output

    async def test_are_only_tried_in_a_dry_run(self, bring_in: Import, ask: Ask) -> None:
        await bring_in("customers", CUSTOMERS)
        wrong = "I4,NOBODY,1.00,CNY,2026-01-01,2026-01-31,"
        result = await bring_in("invoices", INVOICES + "\n".join([*LINES, wrong]), "--dry-run")
        assert "would be posted: 4, unchanged: 0, refused: 1" in result.output, result.output
        assert await ask("select count(*) from open_items") == [(0,)]
        assert await ask("select sum(receivables) from accounts") == [(0,)]

    async def test_that_are_refused_are_listed_with_line_and_reason(self, bring_in: Import, tmp_path: Path) -> None:
        await bring_in("customers", CUSTOMERS)
        wrong = ["I4,NOBODY,1.00,CNY,2026-01-01,2026-01-31,", "I5,C1,1.005,CNY,2026-01-01,2026-01-31,", "I6,C1"]
        content = INVOICES + "\n".join([LINES[0], *wrong])
        listed = tmp_path / "refused.csv"
        await bring_in("invoices", content, "--report", str(listed))
        rows = list(csv.DictReader(listed.read_text(encoding="utf-8").splitlines()))
        assert [(row["line"], row["reference"], row["code"]) for row in rows] == [
            ("5", "", "line_malformed"),
            ("3", "I4", "account_not_found"),
            ("4", "I5", "too_many_decimals"),
        ]
        document = tmp_path / "refused.json"
        await bring_in("invoices", content, "--report", str(document))
        said = json.loads(document.read_text(encoding="utf-8"))
        assert [refused["line"] for refused in said["refused"]] == [5, 3, 4]
        assert said["summary"]["unchanged"] == 1


class TestOthers:
    async def test_limits_are_set_once(self, bring_in: Import, ask: Ask) -> None:
        await bring_in("customers", CUSTOMERS)
        limits = (
            "customer_id,amount,currency,valid_from,scope\n"
            "C1,500.00,CNY,2026-02-01,\nC1,400.00,CNY,2026-01-01,\nC1,900.00,CNY,,group\nC2,5.00,EUR,,\n"
        )
        first = await bring_in("limits", limits)
        assert "posted: 3, unchanged: 0, refused: 1" in first.output, first.output
        assert "the account is kept in CNY" in first.output
        before = await ask("select count(*) from limits")
        assert "posted: 0, unchanged: 3, refused: 1" in (await bring_in("limits", limits)).output
        assert await ask("select count(*) from limits") == before

    async def test_orders_payments_and_rates_are_posted_once(self, bring_in: Import, ask: Ask) -> None:
        await bring_in("customers", CUSTOMERS)
        await bring_in("invoices", INVOICES + LINES[0])
        files = {
            "orders": "order_ref,customer_id,currency,approved,shipped\nO1,C1,CNY,100.00,40.00\n",
            "payments": (
                "payment_ref,customer_id,amount,currency,received_on,invoice_no\nP1,C1,12.00,CNY,2026-03-01,I3\n"
            ),
            "fx-rates": "date,base,currency,rate\n2026-01-02,EUR,CNY,7.81\n2026-01-02,EUR,USD,1.1\n",
        }
        for kind, content in files.items():
            count = content.count("\n") - 1
            assert f"posted: {count}, unchanged: 0, refused: 0" in (await bring_in(kind, content)).output
            assert f"posted: 0, unchanged: {count}, refused: 0" in (await bring_in(kind, content)).output
        assert await ask("select receivables, open_orders, delivered from accounts where customer_id = 'C1'") == [
            (18, 60, 40)
        ]
        assert await ask("select count(*) from fx_rates") == [(2,)]

    async def test_a_key_allows_what_its_scopes_do(self, bring_in: Import, monkeypatch: pytest.MonkeyPatch) -> None:
        made = await asyncio.to_thread(
            CliRunner().invoke, main, ["keys", "create", "ERP", "--scope", "customers:write"]
        )
        monkeypatch.setenv("HEADROOM_KEY", made.output.strip())
        assert "posted: 3" in (await bring_in("customers", CUSTOMERS)).output
        refused = await bring_in("limits", "customer_id,amount\nC1,5\n")
        assert refused.exit_code == 2
        assert "needs the scope limits:set" in refused.output


class TestInterruption:
    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("number", "processes"), [(signal.SIGKILL, 1), (signal.SIGINT, 1), (signal.SIGKILL, 2), (signal.SIGINT, 2)]
    )
    async def test_is_made_good_by_repeating(
        self, many: Path, bring_in: Import, ask: Ask, number: int, processes: int
    ) -> None:
        child = await asyncio.to_thread(_importing, many, processes)
        posted = await self._once_posting(ask, child)
        child.send_signal(number)
        assert await asyncio.to_thread(child.wait, 60) != 0
        await self._once_nobody_posts(ask)
        result = await bring_in("invoices", many.read_text(), "--processes", str(processes))
        assert "refused: 0" in result.output, result.output
        assert posted > 0
        await self._all_there(ask)

    @pytest.mark.slow
    async def test_of_its_processes_ends_the_import_and_is_made_good_by_repeating(
        self, many: Path, bring_in: Import, ask: Ask
    ) -> None:
        child = await asyncio.to_thread(_importing, many, 2, subprocess.PIPE)
        await self._once_posting(ask, child)
        for pid in _children(child.pid):
            os.kill(pid, signal.SIGKILL)
        _, said = await asyncio.to_thread(child.communicate, timeout=60)
        assert (child.returncode, said) == (2, b"can't import: a process of the import has ended\n")
        await self._once_nobody_posts(ask)
        assert "refused: 0" in (await bring_in("invoices", many.read_text())).output
        await self._all_there(ask)

    @pytest.fixture
    async def many(self, bring_in: Import, database_url: str, tmp_path: Path) -> Path:
        """A file of 20,000 invoices of one each; their customers are there."""
        await bring_in("customers", CUSTOMERS)
        path = tmp_path / "many.csv"
        path.write_text(
            INVOICES
            + "".join(f"N{n},C{n % 3 + 1},1.00,CNY,2026-01-{n % 28 + 1:02},2026-03-01,\n" for n in range(20_000))
        )
        return path

    async def _once_posting(self, ask: Ask, child: subprocess.Popen[bytes]) -> int:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and child.poll() is None:
            [(posted,)] = await ask("select count(*) from open_items")
            if posted:
                return int(posted)
            await asyncio.sleep(0.02)
        raise AssertionError(f"nothing was posted; the import ended with {child.poll()}")

    async def _once_nobody_posts(self, ask: Ask) -> None:
        """Processes that were left behind complete their batch and end by themselves."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            left = "select count(*) from pg_stat_activity where datname = current_database() and application_name = $$"
            if await ask(left.replace("$$", "'headroom import'")) == [(0,)]:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("a process of the import is left behind")

    async def _all_there(self, ask: Ask) -> None:
        assert await ask("select count(*), sum(open_amount) from open_items") == [(20_000, 20_000)]
        assert await ask("select sum(receivables) from accounts") == [(20_000,)]
        assert await ask("select count(*) from events where type = 'invoice_posted'") == [(20_000,)]


class TestSeveralProcesses:
    async def test_post_what_one_would(self, bring_in: Import, ask: Ask, tmp_path: Path) -> None:
        await bring_in("customers", CUSTOMERS)
        wrong = ["I4,NOBODY,1.00,CNY,2026-01-01,2026-01-31,", "I5,C1,1.005,CNY,2026-01-01,2026-01-31,", "I6,C1"]
        listed = tmp_path / "refused.csv"
        content = INVOICES + "\n".join([*LINES, *wrong])
        result = await bring_in("invoices", content, "--processes", "3", "--report", str(listed))
        assert "lines: 6; posted: 4, unchanged: 0, refused: 3" in result.output, result.output
        rows = list(csv.DictReader(listed.read_text(encoding="utf-8").splitlines()))
        assert [(row["line"], row["code"], row["field"]) for row in rows] == [
            ("7", "line_malformed", ""),
            ("5", "account_not_found", ""),
            ("6", "too_many_decimals", "amount"),
        ]
        ledger = await ask(
            "select source_ref from ledger join accounts a on a.id = account_id where a.customer_id = 'C1' order by seq"
        )
        assert ledger == [("I1",), ("I1/settled",), ("I3",)]


def _importing(path: Path, processes: int, stderr: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "app.cli", "import", "invoices", str(path), "--processes", str(processes)],
        stdout=subprocess.DEVNULL,
        stderr=stderr,
    )


def _children(pid: int) -> list[int]:
    """The processes that post for the process `pid`."""
    found: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = stat.read_text().rpartition(")")[2].split()[1]
            if int(parent) == pid and b"spawn_main" in stat.with_name("cmdline").read_bytes():
                found.append(int(stat.parent.name))
    return found
