"""Answers to the questions of the policy."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient

from app.domains.policies.core.default_scorecard import default_scorecard
from app.infra.clock import FrozenClock
from tests.domains.credit_data.http import C1, body, customer, faults, revise_policy

QUESTIONS = [
    {"item": "character", "question": "Do they keep their word?"},
    {"item": "a/b", "question": "?", "lowest": 0, "highest": 10},
]
ANSWERS = f"{C1}/questionnaire-answers"


@pytest.fixture(autouse=True)
async def questions(api: AsyncClient) -> None:
    """A policy that asks two questions of ours beside its own, and a customer."""
    kept = [each for each in default_scorecard()["questions"] if each["item"] != "character"]
    await revise_policy(api, {"scorecard": {"questions": [*QUESTIONS, *kept]}})
    await customer(api)


class TestAnswers:
    async def test_go_in_together_and_come_out(self, api: AsyncClient) -> None:
        made = body(await api.put(ANSWERS, json={"answers": {"character": 4, "a/b": 10}, "note": "met them"}))["items"]
        assert [(each["item"], each["answer"], each["answered_on"], each["version"]) for each in made] == [
            ("character", 4, "2026-03-02", 1),
            ("a/b", 10, "2026-03-02", 1),
        ]
        assert {each["independence"] for each in made} == {"own_experience"}
        listed = body(await api.get(ANSWERS))["items"]
        assert sorted(each["item"] for each in listed) == ["a/b", "character"]
        assert len(body(await api.get(f"{C1}/credit-file"))["questionnaire_answers"]) == 2

    async def test_leave_other_answers_as_they_are(self, api: AsyncClient, clock: FrozenClock) -> None:
        await api.put(ANSWERS, json={"answers": {"character": 4, "a/b": 10}})
        before = clock.now().isoformat()
        clock.move(by=timedelta(days=1))
        one = body(
            await api.put(f"{ANSWERS}/character", json={"answer": 2, "self_declared": True, "source": "the owner"})
        )
        assert (one["version"], one["answer"], one["independence"], one["source"]) == (
            2,
            2,
            "self_declared",
            "the owner",
        )
        now = {each["item"]: each["answer"] for each in body(await api.get(ANSWERS))["items"]}
        then = body(await api.get(ANSWERS, params={"as_of": before}))["items"]
        assert now == {"character": 2, "a/b": 10}
        assert {each["item"]: each["answer"] for each in then} == {"character": 4, "a/b": 10}

    async def test_to_one_question_may_have_a_slash(self, api: AsyncClient) -> None:
        assert (await api.put(f"{ANSWERS}/a%2Fb", json={"answer": 0})).status_code == 201

    @pytest.mark.parametrize(
        ("said", "fault"),
        [
            ({"capital": 3}, ("/answers/capital", "question_unknown")),
            ({"character": 6}, ("/answers/character", "answer_out_of_range")),
            ({"a/b": 11}, ("/answers/a~1b", "answer_out_of_range")),
            ({"character": "4"}, ("/answers/character", "int_type")),
            ({}, ("/answers", "too_short")),
        ],
    )
    async def test_that_nobody_asked_for_are_refused(
        self, api: AsyncClient, said: dict[str, Any], fault: tuple[str, str]
    ) -> None:
        assert faults(await api.put(ANSWERS, json={"answers": said})) == [fault]

    async def test_that_are_refused_file_nothing(self, api: AsyncClient) -> None:
        await api.put(ANSWERS, json={"answers": {"character": 3, "capital": 3}})
        assert body(await api.get(ANSWERS))["items"] == []

    async def test_of_tomorrow_are_refused(self, api: AsyncClient) -> None:
        refused = await api.put(ANSWERS, json={"answers": {"character": 3}, "answered_on": "2026-03-09"})
        assert faults(refused) == [("/answered_on", "day_ahead")]
