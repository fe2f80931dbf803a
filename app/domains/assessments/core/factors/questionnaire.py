"""What people answer to the policy's questions, such as the 5C or the items of 特征分析."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from app.domains.assessments.core.factors.asked import Asked, Reading, reading
from app.domains.policies.core.factors import Factor, Independence

SOURCE: Final = "questionnaire"


def answer(asked: Asked) -> Reading | None:
    """The latest answer to the question `item`, a number on the question's own range."""
    for reply in asked.facts.replies:
        if reply.item == asked.item:
            return reading(reply.answer, SOURCE, Independence.SELF_DECLARED, reply.answered_on)
    return None


FACTORS: Final[Mapping[Factor, Callable[[Asked], Reading | None]]] = {Factor.QUESTIONNAIRE: answer}
