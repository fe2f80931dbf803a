"""Answers to the questions of the policy: what people think of a customer, as a number on the question's range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from app.domains.credit_data.core.refusals import AnswerOutOfRange, QuestionUnknown
from app.domains.policies.core.reading import member
from app.domains.policies.core.scorecard import Question
from app.kernel.errors import Fault


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to the question `item` of the policy, given on a day."""

    item: str
    answer: int
    answered_on: date
    note: str | None = None


def check(answers: Mapping[str, int], questions: Sequence[Question], *, at: str) -> None:
    """Raises `QuestionUnknown` or `AnswerOutOfRange` with a fault for each answer that can't be; `at` is where the
    answers stand in the request."""
    asked = {question.item: question for question in questions}
    unknown = [item for item in answers if item not in asked]
    if unknown:
        known = f"the questions are {', '.join(asked) or 'none'}"
        raise QuestionUnknown(
            f"the policy doesn't ask for {', '.join(unknown)}",
            faults=[Fault(member(at, item), QuestionUnknown.code, known) for item in unknown],
        )
    beyond = {item: asked[item] for item, answer in answers.items() if not _fits(answer, asked[item])}
    if beyond:
        raise AnswerOutOfRange(
            f"no possible answer to {', '.join(beyond)}",
            faults=[
                Fault(
                    member(at, item),
                    AnswerOutOfRange.code,
                    f"an answer is from {question.lowest} to {question.highest}",
                )
                for item, question in beyond.items()
            ],
        )


def _fits(answer: int, question: Question) -> bool:
    return question.lowest <= answer <= question.highest
