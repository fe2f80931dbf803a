"""What the OpenAPI document says is what the service does: Schemathesis, all phases, against a seeded company.

`SCHEMATHESIS_EXAMPLES` is the number of generated requests for each operation, beside those that its coverage phase
derives from the document.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any, Final

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.engine.run import PhaseName

from tests.proof.background import Background
from tests.proof.seeds import plant
from tests.proof.serving import served
from tests.support.api import BOOTSTRAP_KEY

EXAMPLES: Final = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "20"))
PHASES: Final = {
    "examples": PhaseName.EXAMPLES,
    "coverage": PhaseName.COVERAGE,
    "fuzzing": PhaseName.FUZZING,
    "stateful": PhaseName.STATEFUL_TESTING,
}
BATCHES: Final = {
    "include-path-regex": ".*/batch$",
    "checks": {"unsupported_method": {"enabled": False}, "allow_header_conformance": {"enabled": False}},
}
"""A batch shares its path with the document that is called `batch`: what may be done with that is no fault."""


class Findings:
    """What Schemathesis sent, and what it objects to."""

    def __init__(self) -> None:
        self.sent: Counter[PhaseName] = Counter()
        self.statuses: Counter[int] = Counter()
        self.faults: dict[tuple[str, str], str] = {}

    def take(self, phase: PhaseName, recorder: ScenarioRecorder) -> None:
        """Counts one scenario in; of each kind of fault the first is kept."""
        self.sent[phase] += len(recorder.interactions)
        answers = [found.response for found in recorder.interactions.values() if found.response is not None]
        self.statuses.update(answer.status_code for answer in answers)
        for check in (check for checks in recorder.checks.values() for check in checks):
            if check.failure_info is not None:
                fault = check.failure_info
                told = f"{fault.failure.title}: {fault.failure.message}\n{fault.code_sample}"
                self.faults.setdefault((recorder.label, check.name), told)


class TestEveryOperation:
    """Schemathesis finds no 5xx, and no answer that the document does not describe."""

    @pytest.mark.timeout(900)
    @pytest.mark.parametrize(
        ("phases", "least"), [(("coverage",), 2_000), (("examples", "fuzzing", "stateful"), 500)], ids=str
    )
    def test_answers_as_documented(self, company: Background, phases: tuple[str, ...], least: int) -> None:
        plant(company)
        with served(company) as url:
            findings = explore(url, phases)
        assert findings.faults == {}
        assert findings.sent.keys() >= {PHASES[phase] for phase in phases}
        assert findings.sent.total() >= least
        assert max(findings.statuses) < 500


def explore(url: str, phases: tuple[str, ...]) -> Findings:
    """Everything that Schemathesis finds in these phases."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json", config=configuration(url, phases))
    findings = Findings()
    for event in from_schema(schema).execute():
        assert not isinstance(event, events.NonFatalError), event.info
        if isinstance(event, events.ScenarioFinished):
            findings.take(event.phase, event.recorder)
    return findings


def configuration(url: str, phases: tuple[str, ...]) -> SchemathesisConfig:
    """Every check but one: what a schema can't say (a due day before the issue, an unknown order) may be refused."""
    settings: dict[str, Any] = {
        "seed": 20260302,
        "base-url": url,
        "headers": {"Authorization": f"Bearer {BOOTSTRAP_KEY}"},
        "continue-on-failure": True,
        "checks": {"positive_data_acceptance": {"enabled": False}},
        "generation": {"max-examples": EXAMPLES, "database": "none", "no-shrink": True},
        "phases": {phase: {"enabled": phase in phases} for phase in PHASES},
        "operations": [BATCHES],
    }
    return SchemathesisConfig.from_dict(settings)
