"""`headroom settings`: the table that the README shows."""

from __future__ import annotations

import typer

from app.settings import markdown_table

COMMANDS = typer.Typer()


@COMMANDS.command()
def settings() -> None:
    """Print every setting, its default and its meaning, as a Markdown table."""
    typer.echo(markdown_table())
