"""`headroom routes`: which route needs which scope, as the table that the README shows."""

from __future__ import annotations

import typer

from app.main import ROUTERS
from app.support.auth.core.scopes import Scope
from app.support.auth.routing import GuardedRoute

COMMANDS = typer.Typer()


@COMMANDS.command()
def routes() -> None:
    """Print every route and the scopes that open it, as a Markdown table."""
    typer.echo("\n".join(["| route | scope |", "|---|---|", *sorted(_rows())]))


def _rows() -> list[str]:
    guarded = [route for router in ROUTERS for route in router.routes if isinstance(route, GuardedRoute)]
    return [
        f"| `{method} {route.path_format}` | {_scopes(route)} |"
        for route in guarded
        for method in sorted(route.methods or ())
    ]


def _scopes(route: GuardedRoute) -> str:
    """Every requirement has to be met, by any one of its scopes."""
    return " and ".join(
        "any" if set(requirement.scopes) == set(Scope) else " or ".join(f"`{scope}`" for scope in requirement.scopes)
        for requirement in route.requirements
    )
