"""`headroom …`: each module of this package is a command, found by its name `COMMANDS`."""

from __future__ import annotations

import importlib
import pkgutil

import typer

main = typer.Typer(
    name="headroom",
    help="Decides, before goods leave the warehouse, whether a business customer may take them on credit.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _collect() -> None:
    for module in sorted(found.name for found in pkgutil.iter_modules(__path__) if found.name != "__main__"):
        commands = getattr(importlib.import_module(f"{__name__}.{module}"), "COMMANDS", None)
        if commands is not None:
            main.add_typer(commands)


_collect()
