"""Every table that the code knows, for drafting migrations and for the test that code and migrations agree."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping
from typing import Any

from sqlalchemy import MetaData

import app.domains
import app.support
from app.infra.db.metadata import Base

FOREIGN_PREFIXES = ("alembic_version",)
"""Tables that others define: alembic keeps its place."""


def all_tables() -> MetaData:
    """The metadata with the tables of all slices in it."""
    for floor in (app.support, app.domains):
        for slice_ in pkgutil.iter_modules(floor.__path__, f"{floor.__name__}."):
            if slice_.ispkg and importlib.util.find_spec(f"{slice_.name}.tables"):
                importlib.import_module(f"{slice_.name}.tables")
    return Base.metadata


def is_ours(name: str | None, kind: str, _parents: Mapping[Any, str | None]) -> bool:
    """Whether a thing found in a database is to be compared with the code."""
    return kind != "table" or not (name or "").startswith(FOREIGN_PREFIXES)
