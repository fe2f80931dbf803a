"""Two releases of Headroom at once: a later one is this one with a migration more."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from app.infra.db import migrating
from migrations.tables import all_tables

MIGRATIONS_VARIABLE: Final = "MIGRATIONS_OF_THE_LATER_RELEASE"
REVISION: Final = "later"
COLUMN: Final = "of_the_later_release"

_MIGRATION: Final = f'''
"""What a later release may do while this one runs: a column more in a table."""

import sqlalchemy as sa
from alembic import op

revision = "{{revision}}"
down_revision = "{{before}}"


def upgrade() -> None:
    op.add_column("{{table}}", sa.Column("{COLUMN}", sa.Text(), server_default="", nullable=False))
'''


def write_migrations(directory: Path) -> dict[str, str]:
    """Writes the migrations of the later release to `directory`, one for each table: a transaction that alters several
    makes whoever needs another of them wait for all. Returns the environment that its programs need."""
    shutil.copytree(migrating.MIGRATIONS, directory, ignore=shutil.ignore_patterns("__pycache__"))
    before = migrating.head()
    for number, table in enumerate(sorted(all_tables().tables)):
        revision = f"{REVISION}_{number}"
        text = _MIGRATION.format(revision=revision, before=before, table=table)
        (directory / "versions" / f"2999_01_01_{revision}.py").write_text(text)
        before = revision
    return {MIGRATIONS_VARIABLE: str(directory)}


def later_release(arguments: Sequence[str]) -> None:
    """`headroom …` of the later release."""
    from app.cli import main

    migrating.MIGRATIONS = Path(os.environ[MIGRATIONS_VARIABLE])
    main(list(arguments))
