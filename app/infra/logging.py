"""Structured logs: one JSON object a line, or colours where a person is watching.

Whatever is bound with `bind_request` appears on every line of that request. Bodies, tokens and headers are never
logged.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from enum import StrEnum
from typing import Any, Final

import orjson
import structlog
from structlog.typing import Processor

_NOISY: Final = {
    "uvicorn.access": logging.CRITICAL,  # RequestScope logs requests
    "alembic": logging.WARNING,
    "app.infra.db.engine": logging.WARNING,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
}


class LogFormat(StrEnum):
    """How a line looks: `auto` is `console` on a terminal and `json` elsewhere."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


def configure_logging(form: LogFormat = LogFormat.AUTO, level: str = "info") -> None:
    """Sends structlog's and the standard library's lines to stderr, in one form, from `level` upwards."""
    numeric = logging.getLevelNamesMapping()[level.upper()]
    pretty = form is LogFormat.CONSOLE or (form is LogFormat.AUTO and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    ending = _console() if pretty else _json()
    structlog.configure(
        processors=[*shared, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    logging.basicConfig(handlers=[handler], level=numeric, force=True)
    for name, at_least in _NOISY.items():
        logging.getLogger(name).setLevel(max(numeric, at_least))


def bind_request(request_id: str) -> None:
    """Puts the request's id on every line logged on its behalf."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)


def _json() -> list[Processor]:
    return [structlog.processors.format_exc_info, _render_json]


def _console() -> list[Processor]:
    # Plain: a traceback that shows the values of variables shows the caller's credentials too.
    return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]


def _render_json(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
