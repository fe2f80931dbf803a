"""`headroom openapi`: the API as a document, kept beside the code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from app.main import create_app
from app.settings import Settings

COMMANDS = typer.Typer()

DOCUMENT = Path("openapi/headroom.json")


@COMMANDS.command()
def openapi(
    check: Annotated[bool, typer.Option("--check", help="Only say whether the file is up to date.")] = False,
    path: Annotated[Path, typer.Option(help="The file.")] = DOCUMENT,
) -> None:
    """Write the OpenAPI document that the code generates, or check that the file equals it."""
    document = json.dumps(create_app(Settings()).openapi(), indent=2, ensure_ascii=False) + "\n"
    if not check:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document, encoding="utf-8")
        typer.echo(f"wrote {path}")
    elif not path.exists() or path.read_text(encoding="utf-8") != document:
        typer.echo(f"{path} is not what the code generates: run `make openapi` and review the difference", err=True)
        raise typer.Exit(1)
