"""What an assessment says, in English and Chinese."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domains.assessments.core.assessment import assess
from app.domains.assessments.core.facts import Adverse, Reply
from app.domains.assessments.core.words import (
    KNOCK_OUTS,
    NAMES,
    Language,
    cap_reason,
    language_of,
    lift_text,
    name_of,
    reason,
)
from app.domains.credit_data.core.references import AdverseKind
from app.domains.policies.core.factors import Factor
from tests.domains.assessments.core.making import DEFAULT, ON, a_statement, experience, facts

KNOWN = facts(a_statement(), experience=experience(), adverse=[Adverse(AdverseKind.ENFORCEMENT, ON, 5)])
QUESTIONS = {question.item: question for question in (DEFAULT.scorecard.questions if DEFAULT.scorecard else ())}


class TestLanguageOf:
    @pytest.mark.parametrize(
        ("header", "language"),
        [
            (None, "en"),
            ("", "en"),
            ("*", "en"),
            ("zh", "zh"),
            ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
            ("en-GB, zh;q=0.9", "en"),
            ("de, zh;q=0.3, en;q=0.7", "en"),
            ("zh;q=0", "en"),
            ("zh;q=x, en;q=0.1", "en"),
            ("zhuang", "en"),
            (",;q=1;,", "en"),
        ],
    )
    def test_takes_what_is_wanted_most(self, header: str | None, language: str) -> None:
        assert language_of(header).value == language


class TestWords:
    def test_name_every_factor(self) -> None:
        assert set(NAMES) == {factor.value for factor in Factor}

    def test_name_every_knock_out_of_the_default_policy(self) -> None:
        assert DEFAULT.scorecard is not None
        assert {rule.code for rule in DEFAULT.scorecard.knock_outs} == set(KNOCK_OUTS)
        assert name_of("our_own_rule", Language.CHINESE) == "our own rule"

    def test_say_why_points_were_lost(self) -> None:
        found = assess(KNOWN, DEFAULT)
        share = next(factor for factor in found.reasons if factor.code == "share_on_time")
        english, chinese = (reason(share, language) for language in Language)
        assert english == "Share paid on time: 60 (50 … < 70) earns 2.50 of 6.25 points"
        assert chinese == "按期付款比例：60（50 … < 70），得 2.50 分，满分 6.25 分"

    def test_say_that_nothing_is_known(self) -> None:
        found = assess(facts(a_statement(inventory=None)), DEFAULT)
        quick = next(factor for factor in found.factors if factor.code == "quick_ratio")
        assert reason(quick, Language.ENGLISH).startswith("Quick ratio: nothing current is known")
        assert "无有效资料" in reason(quick, Language.CHINESE)

    def test_say_what_caps_and_what_lifts(self) -> None:
        found = assess(KNOWN, DEFAULT)
        assert (
            cap_reason(found.caps[0], Language.ENGLISH)
            == "Serious adverse event (5, not tolerated >= 4): grade F at best"
        )
        assert cap_reason(found.caps[0], Language.CHINESE) == "严重不良事件（5，触发 >= 4）：等级最高为 F"
        assert lift_text(found.lifts[0], Language.ENGLISH) == "Serious adverse event: must no longer apply, for grade E"
        free = assess(replace(KNOWN, adverse=()), DEFAULT)
        assert lift_text(free.lifts[0], Language.ENGLISH).endswith(f", enough for grade {free.lifts[0].grade}")
        declared = assess(facts(replies=[Reply("character", 5, ON)]), DEFAULT)
        assert "%" in cap_reason(declared.caps[0], Language.CHINESE)
        assert lift_text(declared.lifts[0], Language.CHINESE).startswith("补充")

    def test_ask_a_question_in_its_own_words(self) -> None:
        assert name_of("questionnaire.character", Language.CHINESE, QUESTIONS).startswith("管理层")
        assert name_of("questionnaire.character", Language.ENGLISH, QUESTIONS).startswith("How reliable")
        assert name_of("questionnaire.other", Language.ENGLISH, QUESTIONS) == "Questionnaire (other)"
        assert name_of("agency_score.D&B", Language.ENGLISH) == "Agency score (D&B)"
