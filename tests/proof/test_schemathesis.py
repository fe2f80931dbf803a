"""What the OpenAPI document says is what the service does: Schemathesis, all phases, against a seeded company.

`SCHEMATHESIS_EXAMPLES` is the number of generated requests for each operation.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from tests.proof.background import Background
from tests.proof.seeds import plant
from tests.proof.serving import served
from tests.support.api import BOOTSTRAP_KEY

EXAMPLES: Final = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "20"))
LEAST: Final = 2_000
PHASES: Final = ("examples", "coverage", "fuzzing", "stateful")


def configuration(url: str) -> SchemathesisConfig:
    """All phases and all checks that mean something here."""
    return SchemathesisConfig.from_dict(
        {
            "base-url": url,
            "headers": {"Authorization": f"Bearer {BOOTSTRAP_KEY}"},
            "seed": 1,
            "continue-on-failure": True,
            "generation": {"max-examples": EXAMPLES, "database": "none", "no-shrink": True},
            "phases": {phase: {"enabled": True} for phase in PHASES},
        }
    )


class TestEveryOperation:
    """Schemathesis finds nothing."""

    def test_answers_as_documented(self, company: Background) -> None:
        plant(company)
        with served(company) as url:
            schema = schemathesis.openapi.from_url(f"{url}/openapi.json", config=configuration(url))
            found: dict = {}
            sent = Counter()
            import time

            t = time.time()
            for event in from_schema(schema).execute():
                if isinstance(event, events.ScenarioFinished):
                    sent[event.phase] += len(event.recorder.interactions)
                    for id_, checks in event.recorder.checks.items():
                        for check in checks:
                            if check.failure_info:
                                f = check.failure_info
                                found.setdefault((event.recorder.label, check.name, f.failure.title), []).append(
                                    f.failure.message[:600] + "\n" + f.code_sample[:700]
                                )
                elif isinstance(event, events.NonFatalError):
                    print("ERR", event.label, event.info)
                if isinstance(event, events.PhaseFinished):
                    print(event.phase, time.time() - t)
            for key, messages in found.items():
                print("=====", key, len(messages))
                print(messages[0])
            print(sent)
            assert not found
