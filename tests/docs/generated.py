"""The parts of the documents that the program writes. `python -m tests.docs.generated` writes them anew."""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from typing import Final

from typer.testing import CliRunner

import app
from app.cli import main
from app.kernel.events import Event

ROOT: Final = Path(__file__).resolve().parent.parent.parent
README: Final = ROOT / "README.md"
EVENTS: Final = ROOT / "docs" / "events.md"
COMMANDS: Final = ("settings", "routes")

_EVENTS_IN: Final = re.compile(r"\.core\.\w*events$").search
_EVENTS: Final = """\
# Events

Every kind of event that the journal, the feed (`GET /v1/events`) and webhooks tell of, as the program knows them.
`before` and `after` hold what has changed; `subject_id` is the id of the subject. How to read the feed:
[integration.md](integration.md).
"""


def expected(command: str) -> str:
    """What `headroom <command>` prints."""
    result = CliRunner().invoke(main, [command])
    assert result.exit_code == 0, result.output
    return result.output.strip()


def place(command: str) -> re.Pattern[str]:
    """Where it stands in the README."""
    return re.compile(rf"(?<=<!-- {command} -->\n).*?(?=<!-- /{command} -->)", re.DOTALL)


def events() -> str:
    """The page of all events, by slice."""
    by_slice: dict[str, list[str]] = defaultdict(list)
    for event in event_classes():
        meaning = " ".join((inspect.getdoc(event) or "").split()).replace("|", "\\|")
        by_slice[event.__module__.split(".")[2]].append(f"| `{event.type}` | {event.subject_type} | {meaning} |")
    parts = [
        f"## {slice_}\n\n| type | subject | what happened |\n|---|---|---|\n" + "\n".join(lines) + "\n"
        for slice_, lines in sorted(by_slice.items())
    ]
    return "\n".join([_EVENTS, *parts])


def event_classes() -> list[type[Event]]:
    """Every kind of event that the program can emit, by module and in the order of the source."""
    modules = [
        import_module(each.name) for each in pkgutil.walk_packages(app.__path__, "app.") if _EVENTS_IN(each.name)
    ]
    return [
        value
        for module in sorted(modules, key=lambda module: module.__name__)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Event) and value.__module__ == module.__name__
        if isinstance(getattr(value, "type", None), str)  # a base that only helps to write others has none
    ]


def write() -> None:
    """Writes all of them."""
    text = README.read_text(encoding="utf-8")
    for command in COMMANDS:
        text = place(command).sub(lambda _, command=command: expected(command) + "\n", text)  # type: ignore[misc]
    README.write_text(text, encoding="utf-8")
    EVENTS.write_text(events(), encoding="utf-8")


if __name__ == "__main__":
    write()
