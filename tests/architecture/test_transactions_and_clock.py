"""One place commits, one place reads the clock."""

from __future__ import annotations

import ast
import re

from tests.architecture.source import called, modules

COMMITTERS = {
    "app/infra/transaction.py": "the one place that commits",
    "app/infra/db/migrating.py": "migrations run outside the business's transactions",
    "app/domains/orders/desk.py": "the desk writes with one autocommitted statement a batch",
    "app/domains/orders/desk_sql.py": "the desk writes with one autocommitted statement a batch",
    "app/cli/demo/unfinished.py": "its mark outlives the transactions of the load; no state of the business changes",
}
AUTOCOMMITTERS = {
    "app/main.py": "makes the desk's engine",
    "app/infra/jobs.py": "the leader's lock is held by a connection outside any transaction; it writes nothing",
}
CLOCKS = {
    "app/infra/clock.py": "the one place that reads the clock",
    "app/infra/db/embedded.py": "deadlines of starting and stopping a process, before there is a service",
}
DATABASE_CLOCKS = {
    "migrations/versions/2026_11_25_journal_blocks.py": "retention must not believe the role of the application",
}
READS_THE_CLOCK = re.compile(
    r"(^|\.)((datetime|date)\.(now|utcnow|today)|time\.(time|monotonic|perf_counter|process_time)(_ns)?"
    r"|func\.(now|current_timestamp|current_date|clock_timestamp|statement_timestamp|localtimestamp))$"
)
DATABASE_CLOCK = re.compile(
    r"\b(now\(\)|(clock|statement|transaction)_timestamp\(\)|current_(timestamp|date|time)\b|localtimestamp\b)",
    re.IGNORECASE,
)


class TestCommit:
    def test_happens_only_in_the_transaction(self) -> None:
        found = [
            f"{module.at(call)} {called(call)}()"
            for module in modules("app")
            if module.path not in COMMITTERS
            for call in module.calls()
            if called(call).endswith(".commit") or _begins_a_committing_block(call)
        ]
        assert found == []

    def test_is_not_left_to_autocommit(self) -> None:
        found = [
            module.at(text)
            for module in modules("app")
            if module.path not in COMMITTERS | AUTOCOMMITTERS
            for text in module.texts()
            if str(text.value).upper() == "AUTOCOMMIT"
        ]
        assert found == []


class TestClock:
    def test_is_read_in_one_place(self) -> None:
        found = [
            f"{module.at(call)} {called(call)}()"
            for module in modules("app")
            if module.path not in CLOCKS
            for call in module.calls()
            if READS_THE_CLOCK.search(called(call))
        ]
        assert found == []

    def test_is_not_the_database_s(self) -> None:
        found = [
            module.at(text)
            for module in modules("app", "migrations")
            if module.path not in DATABASE_CLOCKS
            for text in module.texts()
            if DATABASE_CLOCK.search(str(text.value))
        ]
        assert found == []


def _begins_a_committing_block(call: ast.Call) -> bool:
    """`engine.begin()` and `session.begin()` commit when they end. Our own `Transactions.begin` takes arguments, and
    `Run.begin` of a job leads to it."""
    name = called(call)
    return name.endswith(".begin") and name != "run.begin" and not call.args and not call.keywords
