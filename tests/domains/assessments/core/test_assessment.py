"""Assessments: score, confidence, caps, probability, reasons, lifts, recommended limit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domains.assessments.core.assessment import assess
from app.domains.assessments.core.facts import Adverse, AssessmentFacts, Company, Reference, Reply, Report, Security
from app.domains.assessments.core.grading import CapKind, probability_at
from app.domains.assessments.core.lifting import LiftAction
from app.domains.assessments.core.refusals import LimitsNotInPolicy, ScorecardNotInPolicy
from app.domains.credit_data.core.references import AdverseKind
from app.domains.policies.core.document import parse
from app.domains.policies.core.grades import GradeTermsKind
from tests.domains.assessments.core.making import DEFAULT, FIGURES, ON, a_policy, a_statement, experience, facts

BANDS = [{"points": 0, "below": "1"}, {"points": 50, "at_least": "1", "below": "2"}, {"points": 100, "at_least": "2"}]
CARD: dict[str, Any] = {
    "groups": [
        {
            "code": "financial",
            "weight": 60,
            "factors": [
                {"factor": "current_ratio", "weight": 50, "missing": 20, "bands": BANDS, "max_age_days": 365},
                {"factor": "quick_ratio", "weight": 50, "missing": 40, "bands": BANDS, "max_age_days": 365},
            ],
        },
        {
            "code": "payment",
            "weight": 40,
            "factors": [
                {
                    "factor": "payment_index",
                    "weight": 100,
                    "missing": 50,
                    "bands": [{"points": 0, "below": 70}, {"points": 80, "at_least": 70}],
                }
            ],
        },
    ],
    "confidence_caps": [],
    "knock_outs": [],
}
POLICY = a_policy(scorecard=CARD)
BOTH = facts(a_statement(), experience=experience())


class TestScore:
    def test_is_the_weighted_mean_of_the_points(self) -> None:
        # current ratio 2 → 100, quick ratio 1.5 → 50, payment index 72 → 80: 0.6 · 75 + 0.4 · 80
        assert assess(BOTH, POLICY).score == Decimal("77.00")

    def test_is_the_sum_of_the_points_of_its_factors(self) -> None:
        found = assess(BOTH, POLICY)
        assert [factor.points for factor in found.factors] == [Decimal(30), Decimal(15), Decimal(32)]
        assert [factor.max_points for factor in found.factors] == [Decimal(30), Decimal(30), Decimal(32)]
        assert sum(factor.points for factor in found.factors) == found.score

    def test_gives_the_weight_of_an_absent_group_to_those_present(self) -> None:
        found = assess(facts(a_statement()), POLICY)
        assert found.score == 75
        assert [(factor.weight, factor.missing) for factor in found.factors] == [
            (Decimal(50), False),
            (Decimal(50), False),
            (Decimal(0), True),
        ]

    def test_gives_a_missing_factor_of_a_present_group_its_own_points(self) -> None:
        found = assess(facts(a_statement(inventory=None)), POLICY)
        assert found.score == 70  # 50 % of 100 and 50 % of 40
        assert found.factors[1].missing

    def test_counts_what_is_too_old_as_missing_and_says_how_old(self) -> None:
        old = a_statement(ON - timedelta(days=366))
        found = assess(facts(old, experience=experience()), POLICY)
        assert found.score == 80
        assert (found.factors[0].missing, found.factors[0].age_days) == (True, 366)

    def test_without_any_fact_has_the_points_for_missing(self) -> None:
        found = assess(facts(), POLICY)
        assert found.score == 38  # 0.6 · (20 + 40)/2 + 0.4 · 50
        assert found.confidence.percent == 0

    @settings(max_examples=40)
    @given(st.integers(-(10**9), 10**9), st.integers(0, 10**9), st.decimals(0, 100, places=2), st.booleans())
    def test_lies_between_0_and_100(self, equity: int, owed: int, index: Decimal, audited: bool) -> None:
        statement = a_statement(equity=equity, total_liabilities=owed, total_assets=equity + owed, audited=audited)
        found = assess(facts(statement, experience=experience(payment_index=index)), DEFAULT)
        assert 0 <= found.score <= 100
        assert abs(sum(factor.points for factor in found.factors) - found.score) < Decimal("0.1")

    @settings(max_examples=40)
    @given(st.lists(st.decimals(0, 100, places=2), min_size=2, max_size=2, unique=True))
    def test_never_falls_when_a_customer_pays_better(self, indices: list[Decimal]) -> None:
        worse, better = (
            assess(facts(experience=experience(payment_index=index)), DEFAULT) for index in sorted(indices)
        )
        assert worse.score <= better.score
        assert worse.probability_of_default >= better.probability_of_default

    @given(st.sampled_from([Decimal("0.001"), Decimal("7.3"), Decimal(1_000)]))
    def test_is_the_same_in_whatever_currency(self, rate: Decimal) -> None:
        money: dict[str, Any] = {name: amount * rate for name, amount in FIGURES.items()}
        assert assess(facts(a_statement(**money)), DEFAULT).score == assess(facts(a_statement()), DEFAULT).score


class TestConfidence:
    def test_is_the_share_of_the_weight_that_rests_on_current_facts(self) -> None:
        found = assess(BOTH, POLICY).confidence
        assert found.percent == 100
        assert found.by_source == {
            "own_experience": Decimal(40),
            "audited": Decimal(60),
            "agency": Decimal(0),
            "self_declared": Decimal(0),
        }

    def test_trusts_what_the_customer_says_of_itself_less(self) -> None:
        found = assess(facts(a_statement(audited=False)), POLICY).confidence
        assert (found.percent, found.by_source["self_declared"]) == (Decimal(36), Decimal(60))

    def test_caps_the_grade_where_it_is_low(self) -> None:
        caps = [{"below": 50, "grade": "C"}, {"below": 40, "grade": "E"}]
        policy = a_policy(scorecard={**CARD, "confidence_caps": caps})
        declared = assess(facts(a_statement(audited=False)), policy)
        assert (declared.grade, declared.uncapped_grade) == ("E", "B")
        assert [(cap.kind, cap.grade) for cap in declared.caps] == [(CapKind.CONFIDENCE, "E")]
        assert assess(facts(a_statement()), policy).grade == "B"


class TestGrade:
    @pytest.mark.parametrize("severity", [4, 5])
    def test_is_capped_by_a_knock_out(self, severity: int) -> None:
        event = Adverse(AdverseKind.ENFORCEMENT, ON, severity)
        found = assess(replace(BOTH, adverse=(event,)), DEFAULT)
        assert found.grade == "F"
        assert found.caps[0].code == "serious_event"

    def test_is_the_worst_of_an_insolvent_customer(self) -> None:
        event = Adverse(AdverseKind.INSOLVENCY, ON - timedelta(days=1800), 3)
        assert assess(replace(BOTH, adverse=(event,)), DEFAULT).grade == "H"

    def test_forgets_what_is_resolved_or_too_old(self) -> None:
        events = (
            Adverse(AdverseKind.INSOLVENCY, ON - timedelta(days=1826), 5),
            Adverse(AdverseKind.ENFORCEMENT, ON, 5, resolved_on=ON),
        )
        assert assess(replace(BOTH, adverse=events), DEFAULT).caps == ()

    def test_brings_terms_and_a_day_of_review(self) -> None:
        found = assess(BOTH, DEFAULT)
        grade = next(each for each in DEFAULT.grades if each.name == found.grade)
        assert found.recommended_terms == grade.terms
        assert found.review_on == ON + timedelta(days=grade.review_days)


class TestProbability:
    def test_is_that_of_the_curve_at_its_points(self) -> None:
        assert DEFAULT.scorecard is not None
        for point in DEFAULT.scorecard.calibration:
            expected = point.probability_percent / 100
            assert probability_at(DEFAULT.scorecard.calibration, point.score) == expected

    def test_lies_on_a_line_of_log_odds_between_them(self) -> None:
        assert DEFAULT.scorecard is not None
        found = probability_at(DEFAULT.scorecard.calibration, Decimal(50))
        assert found == Decimal("0.008376")  # geometric mean of the odds of 1.4 % and 0.5 %

    @settings(max_examples=40)
    @given(st.decimals(0, 100, places=2), st.decimals(0, 100, places=2))
    def test_falls_with_the_score(self, one: Decimal, other: Decimal) -> None:
        assert DEFAULT.scorecard is not None
        low, high = sorted([one, other])
        curve = DEFAULT.scorecard.calibration
        assert probability_at(curve, low) >= probability_at(curve, high)

    def test_of_a_capped_grade_is_no_better_than_the_grade(self) -> None:
        event = Adverse(AdverseKind.INSOLVENCY, ON, 5)
        capped = assess(replace(BOTH, adverse=(event,)), DEFAULT)
        assert capped.probability_of_default > Decimal("0.03")
        assert assess(BOTH, DEFAULT).probability_of_default < Decimal("0.01")


class TestDefaultTables:
    @pytest.mark.parametrize(("letter", "value"), [("BBB", "80.0000"), ("BB-", "42.0000"), ("B", "20.0000")])
    def test_turn_the_letters_of_an_agency_into_its_score(self, letter: str, value: str) -> None:
        known = replace(BOTH, reports=(Report("S&P", ON, rating=letter),))
        score = next(factor for factor in assess(known, DEFAULT).factors if factor.code == "agency_score")
        assert (str(score.value), score.source, score.missing) == (value, "S&P", False)

    @pytest.mark.parametrize(("country", "code", "best"), [("TR", 5, "C"), ("EG", 6, "D"), ("UA", 7, "E")])
    def test_cap_the_grade_in_a_country_of_high_risk(self, country: str, code: int, best: str) -> None:
        found = assess(replace(BOTH, company=replace(BOTH.company, country=country)), DEFAULT)
        assert [(cap.code, cap.grade) for cap in found.caps] == [(f"country_class_{code}", best)]
        assert found.grade == max(best, found.uncapped_grade)

    @pytest.mark.parametrize("country", ["CN", "DE", "PL", "TW", "IN", "BR", "LI"])
    def test_leave_customers_of_other_countries_alone(self, country: str) -> None:
        found = assess(replace(BOTH, company=replace(BOTH.company, country=country)), DEFAULT)
        assert found.caps == ()


class TestExplanation:
    def test_names_the_factors_that_lost_most(self) -> None:
        found = assess(BOTH, DEFAULT)
        lost = [factor.lost for factor in found.reasons]
        assert 1 <= len(lost) <= 4
        assert lost == sorted(lost, reverse=True)
        assert lost[-1] >= max(
            (factor.lost for factor in found.factors if factor not in found.reasons), default=Decimal(0)
        )

    def test_says_what_would_lift_the_grade(self) -> None:
        found = assess(BOTH, POLICY)  # 77, grade B; A begins at 80
        (lift,) = found.lifts
        assert (lift.action, lift.code, lift.gain, lift.grade) == (LiftAction.IMPROVE, "quick_ratio", Decimal(15), "A")
        assert lift.enough

    def test_lifts_as_it_says(self) -> None:
        lifted = assess(replace(BOTH, statements=(a_statement(inventory=0),)), POLICY)
        assert lifted.grade == "A"

    def test_asks_for_what_is_missing(self) -> None:
        found = assess(facts(a_statement(inventory=None)), POLICY)
        assert [(lift.action, lift.code) for lift in found.lifts] == [(LiftAction.PROVIDE, "quick_ratio")]

    def test_says_what_has_to_be_over_or_better_supported(self) -> None:
        event = Adverse(AdverseKind.INSOLVENCY, ON, 5)
        found = assess(replace(BOTH, adverse=(event,)), DEFAULT)
        assert [(lift.action, lift.code) for lift in found.lifts] == [(LiftAction.RESOLVE, "insolvent")]
        declared = assess(facts(replies=[Reply("character", 5, ON), Reply("conditions", 5, ON)]), DEFAULT)
        assert [lift.action for lift in declared.lifts] == [LiftAction.SUPPORT]

    def test_has_nothing_to_lift_above_the_best(self) -> None:
        best = facts(a_statement(inventory=0), experience=experience(payment_index=Decimal(90)))
        assert assess(best, POLICY).grade == "A"
        assert assess(best, POLICY).lifts == ()


class TestRecommendedLimit:
    KNOWN = facts(
        a_statement(rate="2"),
        experience=experience(monthly_purchases=Decimal(100)),
        reports=[Report("a", ON, recommended_limit=Decimal(70))],
        references=[Reference(ON, Decimal(amount)) for amount in (10, 40, 90)],
        securities=[Security(Decimal(90), Decimal(90))],
    )

    @staticmethod
    def amounts(known: AssessmentFacts, **limits: Any) -> dict[str, Decimal | None]:
        found = assess(known, a_policy(scorecard=CARD, limits={"step": 1, **limits}))
        return {method.method: method.amount for method in found.recommended_limit.methods}

    def test_reports_every_method(self) -> None:
        assert self.amounts(self.KNOWN) == {
            "tangible_net_worth": Decimal("52.00"),  # 10 % of (300 − 40) at a rate of 2
            "working_capital": Decimal("100.00"),  # 25 % of 200, grade B
            "working_assets": Decimal("125.00"),  # EV 1.17 → 25 % of (200 + 300)/2
            "annual_sales": Decimal("100.00"),  # 5 % of 1,000
            "agency_recommendation": Decimal("70.00"),
            "cover": Decimal("100.00"),  # 90 ÷ 90 %
            "trade_references": Decimal("40.00"),
            "requirement": Decimal("144.00"),  # 100 × (30 + 6)/30 × 1.2
            "concentration_cap": Decimal("50000000.00"),
            "grade_cap": Decimal("20000000.00"),
        }

    @pytest.mark.parametrize(
        ("choice", "binding", "amount"),
        [("lowest", "trade_references", 40), ("median", "working_capital", 100), ("highest", "working_assets", 125)],
    )
    def test_takes_the_capacity_that_the_policy_chooses(self, choice: str, binding: str, amount: int) -> None:
        found = assess(self.KNOWN, a_policy(scorecard=CARD, limits={"step": 1, "capacity": choice}))
        assert (found.recommended_limit.binding, found.recommended_limit.amount) == (binding, Decimal(amount))

    @pytest.mark.parametrize(
        ("limits", "binding", "amount"),
        [
            ({"concentration_cap": 77}, "concentration_cap", 77),
            ({"requirement": {"headroom_percent": 0}, "capacity": "highest"}, "requirement", 120),
            ({"step": 30}, "working_capital", 90),
            ({"step": 1000}, "working_capital", 0),
        ],
    )
    def test_is_the_least_of_all_rounded_down(self, limits: dict[str, Any], binding: str, amount: int) -> None:
        found = assess(self.KNOWN, a_policy(scorecard=CARD, limits={"step": 1, **limits})).recommended_limit
        assert (found.binding, found.amount) == (binding, Decimal(amount))

    def test_is_nothing_by_working_assets_without_equity(self) -> None:
        broke = a_statement(equity=-100, total_liabilities=900, current_assets=10, inventory=0)
        assert self.amounts(facts(broke))["working_assets"] == 0

    def test_says_that_a_rate_is_unknown(self) -> None:
        methods = {
            each.method: each for each in assess(facts(a_statement(rate=None)), DEFAULT).recommended_limit.methods
        }
        for name in ("tangible_net_worth", "working_capital", "working_assets", "annual_sales"):
            assert (methods[name].amount, methods[name].inputs["rate"]) == (None, "unknown")

    def test_does_not_count_what_has_no_rate_or_is_too_old(self) -> None:
        assert self.amounts(facts(a_statement(rate=None)))["annual_sales"] is None
        assert self.amounts(facts(a_statement(ON - timedelta(days=731))))["annual_sales"] is None

    def test_of_a_customer_whose_capacity_nobody_knows_is_capped(self) -> None:
        known = facts(experience=experience())
        found = assess(known, a_policy(scorecard=CARD, limits={"cap_without_capacity": 5000})).recommended_limit
        assert (found.binding, found.amount) == ("cap_without_capacity", Decimal(5000))

    def test_is_zero_for_a_grade_that_gets_no_credit(self) -> None:
        event = Adverse(AdverseKind.INSOLVENCY, ON, 5)
        found = assess(replace(self.KNOWN, adverse=(event,)), DEFAULT)
        assert (found.recommended_limit.amount, found.recommended_limit.binding) == (Decimal(0), "grade_cap")
        assert found.recommended_terms.kind is GradeTermsKind.PREPAID

    @settings(max_examples=40)
    @given(st.integers(0, 10**15), st.integers(1, 10**6))
    def test_is_a_multiple_of_the_step_and_within_every_bound(self, assets: int, step: int) -> None:
        assert POLICY.limits is not None
        statement = a_statement(total_assets=assets, equity=assets // 2, total_liabilities=assets - assets // 2)
        stepped = replace(POLICY, limits=replace(POLICY.limits, step=Decimal(step)))
        found = assess(facts(statement), stepped).recommended_limit
        assert found.amount % step == 0
        bounds = [m.amount for m in found.methods if not m.capacity and m.amount is not None]
        assert all(0 <= found.amount <= bound for bound in bounds)


class TestAssess:
    def test_gives_the_same_for_the_same(self) -> None:
        assert assess(BOTH, DEFAULT) == assess(BOTH, DEFAULT)

    @pytest.mark.parametrize(
        ("section", "refusal"), [("scorecard", ScorecardNotInPolicy), ("limits", LimitsNotInPolicy)]
    )
    def test_needs_both_sections(self, section: str, refusal: type[Exception]) -> None:
        with pytest.raises(refusal):
            assess(BOTH, a_policy(**{section: None}))

    def test_is_usable_with_statements_own_experience_or_neither(self) -> None:
        grades = [
            assess(known, DEFAULT).grade
            for known in (facts(a_statement()), facts(experience=experience()), facts(company=Company("DE")))
        ]
        assert grades == ["B", "C", "E"]


class TestDefaultScorecard:
    def test_has_bands_that_rise_or_fall_and_never_both(self) -> None:
        assert DEFAULT.scorecard is not None
        for group in DEFAULT.scorecard.groups:
            for rule in group.factors:
                points = [band.points for band in rule.bands]
                rises = all(one < other for one, other in pairwise(points))
                falls = all(one > other for one, other in pairwise(points))
                assert rises or falls, rule.code

    def test_gives_what_is_missing_less_than_the_middle(self) -> None:
        assert DEFAULT.scorecard is not None
        rules = [rule for group in DEFAULT.scorecard.groups for rule in group.factors]
        assert all(rule.missing <= rule.best / 2 for rule in rules)


def test_a_policy_from_long_ago_still_assesses() -> None:
    """One with a small scorecard and names of its own."""
    policy = parse(
        {
            "order_checks": {},
            "grades": [{"name": "good", "min_score": 50}, {"name": "bad", "limit_cap": 0}],
            "scorecard": {
                "groups": [
                    {
                        "code": "g",
                        "weight": 100,
                        "factors": [{"factor": "age_years", "weight": 100, "bands": [{"points": 9}]}],
                    }
                ],
                "calibration": [{"score": 1, "probability_percent": 9}, {"score": 2, "probability_percent": 8}],
            },
            "limits": {},
        }
    )
    found = assess(facts(company=Company("CN", founded_on=date(2020, 1, 1))), policy)
    assert (found.grade, found.score, found.probability_of_default) == ("bad", Decimal(9), Decimal("0.08"))
