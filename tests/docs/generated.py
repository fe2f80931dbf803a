"""The parts of the README that the program writes. `python -m tests.docs.generated` writes them anew."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from typer.testing import CliRunner

from app.cli import main

ROOT: Final = Path(__file__).resolve().parent.parent.parent
README: Final = ROOT / "README.md"
COMMANDS: Final = ("settings", "routes")


def expected(command: str) -> str:
    """What `headroom <command>` prints."""
    result = CliRunner().invoke(main, [command])
    assert result.exit_code == 0, result.output
    return result.output.strip()


def place(command: str) -> re.Pattern[str]:
    """Where it stands in the README."""
    return re.compile(rf"(?<=<!-- {command} -->\n).*?(?=<!-- /{command} -->)", re.DOTALL)


def write() -> None:
    """Writes all of them."""
    text = README.read_text(encoding="utf-8")
    for command in COMMANDS:
        text = place(command).sub(lambda _, command=command: expected(command) + "\n", text)  # type: ignore[misc]
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
