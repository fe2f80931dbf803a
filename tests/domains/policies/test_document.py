"""The policy document: defaults, effects, every fault with its place."""

from __future__ import annotations

import copy
import dataclasses
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.policies.core import order_checks
from app.domains.policies.core.document import default_document, effective, faults, parse, parse_rules
from app.domains.policies.core.order_checks import (
    Effect,
    GroupLimitRule,
    LimitRule,
    OldestItemRule,
    OrderChecks,
    UtilisationWarningRule,
)
from app.domains.policies.core.refusals import PolicyInvalid
from tests.domains.policies.test_merge_patch import JSON

ALWAYS_ON = ["limit", "missing_limit", "limit_expiry", "hold", "fx_rate"]
NEVER_WARN = ["missing_limit", "limit_expiry", "fx_rate"]
ON_WITH_ALL_PARAMETERS: dict[str, dict[str, Any]] = {
    "limit": {"effect": "decline", "tolerance_percent": "5"},
    "group_limit": {"effect": "decline", "tolerance_percent": 5},
    "missing_limit": {"effect": "decline"},
    "limit_expiry": {"effect": "decline", "grace_days": 7},
    "hold": {"effect": "warn"},
    "fx_rate": {"effect": "decline"},
    "order_value": {"effect": "refer", "max_amount": "250000.00"},
    "oldest_item": {"effect": "decline", "max_days_overdue": 0, "min_amount": 100},
    "overdue_share": {"effect": "refer", "max_percent": "12.5", "older_than_days": 10},
    "overdue_with_utilisation": {"effect": "refer", "min_overdue_amount": 1, "min_utilisation_percent": 120},
    "dunning_level": {"effect": "refer", "max_level": 0},
    "payment_index": {"effect": "warn", "min_index": 80},
    "grade": {"effect": "refer", "worst_allowed": "D"},
    "assessment_age": {"effect": "refer", "max_days": 365},
    "terms": {"effect": "refer"},
    "cover": {"effect": "refer", "min_covered_percent": "90"},
    "utilisation_warning": {"effect": "refer", "percent": "99.5"},
}


WITHOUT_SCORECARD = default_document() | {"scorecard": None}
"""Without anything but an order check that names grades."""


def with_checks(**checks: Any) -> dict[str, Any]:
    """The default document with some order checks said otherwise."""
    changed = default_document()
    changed["order_checks"] |= checks
    return changed


def places(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Pointer and code of every fault."""
    return [(fault.pointer, fault.code) for fault in faults(document)]


class TestEffect:
    def test_is_ordered_by_severity_and_not_as_text(self) -> None:
        assert max(Effect, key=lambda effect: effect.severity) is Effect.DECLINE
        assert min(Effect, key=lambda effect: effect.severity) is Effect.WARN


class TestDefaultDocument:
    def test_is_valid(self) -> None:
        assert faults(default_document()) == []

    def test_says_what_the_table_of_rules_says(self) -> None:
        checks = parse(default_document()).order_checks
        assert checks.limit == LimitRule(Effect.REFER, Decimal(0))
        assert checks.group_limit == GroupLimitRule(Effect.REFER, Decimal(0))
        assert checks.oldest_item == OldestItemRule(Effect.REFER, 30, Decimal("1.00"))
        assert checks.utilisation_warning == UtilisationWarningRule(Effect.WARN, Decimal(90))
        assert checks.dunning_level is not None
        assert (checks.dunning_level.effect, checks.dunning_level.max_level) == (Effect.REFER, 2)
        assert (checks.horizon_days, checks.reservation_days) == (None, 30)
        assert (checks.held_orders_count, checks.recheck_grace_days) == (False, 3)

    def test_turns_off_what_the_table_says_is_off(self) -> None:
        checks = parse(default_document()).order_checks
        off = {field.name for field in dataclasses.fields(checks) if getattr(checks, field.name) is None}
        assert off == {
            *("order_value", "overdue_share", "overdue_with_utilisation", "payment_index", "grade"),
            *("assessment_age", "terms", "cover", "horizon_days"),
        }

    def test_spells_out_every_member(self) -> None:
        assert set(default_document()["order_checks"]) == {field.name for field in dataclasses.fields(OrderChecks)}

    def test_ranks_the_grades_best_first(self) -> None:
        policy = parse(default_document())
        assert [policy.grade_rank(name) for name in ("A", "H", "Z")] == [0, 7, None]

    def test_is_the_one_that_the_first_migration_wrote(self) -> None:
        migration = import_module("migrations.versions.2026_11_23_policies")
        assert default_document() == migration.DEFAULT_POLICY


class TestParse:
    @pytest.mark.parametrize("rule", list(ON_WITH_ALL_PARAMETERS))
    def test_reads_every_rule(self, rule: str) -> None:
        given_rule = ON_WITH_ALL_PARAMETERS[rule]
        read = getattr(parse(with_checks(**{rule: given_rule})).order_checks, rule)
        assert {name: getattr(read, name) for name in given_rule} == {
            name: value if name in ("effect", "worst_allowed") else Decimal(value) for name, value in given_rule.items()
        }

    def test_turns_off_what_is_absent(self) -> None:
        checks = parse({"order_checks": {}}).order_checks
        assert checks == OrderChecks()
        assert checks.group_limit is None
        assert checks.limit == LimitRule()

    def test_keeps_the_grades_where_none_are_given(self) -> None:
        assert [grade.name for grade in parse({"order_checks": {}}).grades] == list("ABCDEFGH")

    def test_keeps_the_profiles(self) -> None:
        document = default_document() | {"profiles": {"retail": {"order_checks": {"reservation_days": 7}}}}
        assert parse(document).profiles == document["profiles"]

    def test_refuses_with_every_fault(self) -> None:
        with pytest.raises(PolicyInvalid) as refused:
            parse(with_checks(reservation_days=-1, horizon_days="3"))
        assert len(refused.value.faults) == 2

    def test_points_below_the_root_it_is_given(self) -> None:
        with pytest.raises(PolicyInvalid) as refused:
            parse(with_checks(reservation_days=-1), root="/document")
        assert refused.value.faults[0].pointer == "/document/order_checks/reservation_days"


class TestFaults:
    @pytest.mark.parametrize("rule", ALWAYS_ON)
    def test_say_what_cannot_be_off(self, rule: str) -> None:
        assert places(with_checks(**{rule: None})) == [(f"/order_checks/{rule}", "cannot_be_off")]

    @pytest.mark.parametrize("rule", sorted(set(ON_WITH_ALL_PARAMETERS) - set(ALWAYS_ON)))
    def test_say_nothing_of_what_can_be_off(self, rule: str) -> None:
        assert places(with_checks(**{rule: None})) == []

    @pytest.mark.parametrize("rule", list(ON_WITH_ALL_PARAMETERS))
    def test_say_what_cannot_be_a_warning(self, rule: str) -> None:
        found = places(with_checks(**{rule: ON_WITH_ALL_PARAMETERS[rule] | {"effect": "warn"}}))
        assert found == ([(f"/order_checks/{rule}/effect", "cannot_be_warn")] if rule in NEVER_WARN else [])

    @pytest.mark.parametrize(
        ("checks", "pointer", "code"),
        [
            ({"limit": {"effect": "refuse"}}, "/order_checks/limit/effect", "unknown_choice"),
            ({"limit": {"effect": None}}, "/order_checks/limit/effect", "unknown_choice"),
            ({"limit": {"tolerance": 1}}, "/order_checks/limit/tolerance", "unknown_field"),
            ({"limit": []}, "/order_checks/limit", "object_expected"),
            ({"limit": {"tolerance_percent": 0.5}}, "/order_checks/limit/tolerance_percent", "decimal_expected"),
            ({"limit": {"tolerance_percent": True}}, "/order_checks/limit/tolerance_percent", "decimal_expected"),
            ({"limit": {"tolerance_percent": "1e2"}}, "/order_checks/limit/tolerance_percent", "decimal_expected"),
            ({"limit": {"tolerance_percent": "NaN"}}, "/order_checks/limit/tolerance_percent", "decimal_expected"),
            ({"limit": {"tolerance_percent": "-1"}}, "/order_checks/limit/tolerance_percent", "decimal_expected"),
            ({"limit": {"tolerance_percent": -1}}, "/order_checks/limit/tolerance_percent", "out_of_range"),
            ({"limit": {"tolerance_percent": "100.01"}}, "/order_checks/limit/tolerance_percent", "out_of_range"),
            ({"cover": {"effect": "refer"}}, "/order_checks/cover/min_covered_percent", "required"),
            ({"terms": {}}, "/order_checks/terms/effect", "required"),
            ({"no_such_rule": {}}, "/order_checks/no_such_rule", "unknown_field"),
            ({"a/b~c": 1}, "/order_checks/a~1b~0c", "unknown_field"),
            ({"horizon_days": 1.0}, "/order_checks/horizon_days", "integer_expected"),
            ({"horizon_days": True}, "/order_checks/horizon_days", "integer_expected"),
            ({"reservation_days": None}, "/order_checks/reservation_days", "integer_expected"),
            ({"recheck_grace_days": 366}, "/order_checks/recheck_grace_days", "out_of_range"),
            ({"held_orders_count": 1}, "/order_checks/held_orders_count", "boolean_expected"),
            ({"dunning_level": {"max_level": 10}}, "/order_checks/dunning_level/max_level", "out_of_range"),
            (
                {"grade": {"effect": "refer", "worst_allowed": "Z"}},
                "/order_checks/grade/worst_allowed",
                "unknown_grade",
            ),
            (
                {"grade": {"effect": "refer", "worst_allowed": 1}},
                "/order_checks/grade/worst_allowed",
                "string_expected",
            ),
        ],
    )
    def test_point_at_the_place(self, checks: dict[str, Any], pointer: str, code: str) -> None:
        assert places(with_checks(**checks)) == [(pointer, code)]

    @pytest.mark.parametrize(
        ("sections", "pointer", "code"),
        [
            ({"order_checks": None}, "/order_checks", "cannot_be_off"),
            ({"order_checks": 1}, "/order_checks", "object_expected"),
            ({"no_such_section": {}}, "/no_such_section", "unknown_field"),
            ({"grades": None}, "/grades", "array_expected"),
            ({"grades": []}, "/grades", "wrong_length"),
            ({"grades": [{"name": str(n)} for n in range(27)]}, "/grades", "wrong_length"),
            ({"grades": ["A"]}, "/grades/0", "object_expected"),
            ({"grades": [{"name": ""}]}, "/grades/0/name", "wrong_length"),
            ({"grades": [{"name": "A\u0000"}]}, "/grades/0/name", "string_not_printable"),
            (
                {"grades": [{"name": "A", "min_score": 1}, {"name": "A"}], "approvals": {}},
                "/grades/1/name",
                "duplicate",
            ),
            ({"profiles": []}, "/profiles", "object_expected"),
            ({"profiles": {str(n): {} for n in range(51)}}, "/profiles", "wrong_length"),
            ({"profiles": {"": {}}}, "/profiles/", "name_malformed"),
            ({"profiles": {"retail": None}}, "/profiles/retail", "object_expected"),
            ({"profiles": {"retail": {"profiles": {}}}}, "/profiles/retail/profiles", "unknown_field"),
            ({"profiles": {"a/b": {"grades": []}}}, "/profiles/a~1b/grades", "wrong_length"),
        ],
    )
    def test_point_at_sections_and_profiles(self, sections: dict[str, Any], pointer: str, code: str) -> None:
        assert places(WITHOUT_SCORECARD | sections) == [(pointer, code)]

    def test_name_a_missing_section(self) -> None:
        assert places({}) == [("/order_checks", "required")]

    def test_are_all_said_at_once(self) -> None:
        document = with_checks(limit=None, reservation_days="x", grade={"effect": "refer", "worst_allowed": "Z"})
        document["scorecard"] = None
        document["grades"] = [{"name": "A", "min_score": 50}, {"name": "A"}]
        document["approvals"] = {}
        document["profiles"] = {"retail": {"order_checks": {"terms": {}}}, "b": 1}
        assert set(places(document)) == {
            ("/order_checks/limit", "cannot_be_off"),
            ("/order_checks/reservation_days", "integer_expected"),
            ("/order_checks/grade/worst_allowed", "unknown_grade"),
            ("/grades/1/name", "duplicate"),
            ("/profiles/retail/order_checks/terms/effect", "required"),
            ("/profiles/b", "object_expected"),
        }

    def test_of_a_profile_consider_the_whole_it_makes(self) -> None:
        document = with_checks(grade={"effect": "refer", "worst_allowed": "H"})
        short = {"grades": [{"name": "A"}], "scorecard": None, "approvals": None}
        document["profiles"] = {"short": short}
        assert places(document) == [("/profiles/short/order_checks/grade/worst_allowed", "unknown_grade")]

    def test_of_the_document_are_not_repeated_for_every_profile(self) -> None:
        document = with_checks(limit=None)
        document["profiles"] = {"retail": {"order_checks": {"reservation_days": 1}}}
        assert places(document) == [("/order_checks/limit", "cannot_be_off")]

    @given(patch=st.dictionaries(st.sampled_from([*default_document(), "x"]), JSON, max_size=3))
    def test_are_found_in_anything_without_failing(self, patch: dict[str, Any]) -> None:
        document = default_document() | patch
        before = copy.deepcopy(document)
        if faults(document):
            with pytest.raises(PolicyInvalid):
                parse(document)
        else:
            parse(document)
        assert document == before

    @given(checks=st.dictionaries(st.sampled_from(sorted(ON_WITH_ALL_PARAMETERS)), JSON, max_size=3))
    def test_in_rules_lie_below_the_rule(self, checks: dict[str, Any]) -> None:
        for pointer, _ in places(with_checks(**checks)):
            assert pointer.split("/")[1:3][0] == "order_checks"
            assert pointer.split("/")[2] in checks


class TestEffective:
    DOCUMENT = default_document() | {
        "profiles": {"retail": {"order_checks": {"limit": {"tolerance_percent": "5"}, "utilisation_warning": None}}}
    }

    def test_is_the_document_without_profiles_for_an_unknown_profile(self) -> None:
        rules = effective(self.DOCUMENT, profile="default")
        assert rules == {name: section for name, section in self.DOCUMENT.items() if name != "profiles"}

    def test_applies_the_profile(self) -> None:
        rules = effective(self.DOCUMENT, profile="retail")
        assert rules["order_checks"]["limit"] == {"effect": "refer", "tolerance_percent": "5"}
        assert "utilisation_warning" not in rules["order_checks"]

    def test_applies_the_override_last(self) -> None:
        patch = {"order_checks": {"limit": {"tolerance_percent": "20"}}}
        rules = effective(self.DOCUMENT, profile="retail", override_patch=patch)
        assert rules["order_checks"]["limit"]["tolerance_percent"] == "20"
        assert "utilisation_warning" not in rules["order_checks"]

    def test_replaces_arrays_as_wholes(self) -> None:
        rules = effective(self.DOCUMENT, profile="x", override_patch={"grades": [{"name": "A"}]})
        assert rules["grades"] == [{"name": "A"}]

    def test_cannot_bring_profiles_back(self) -> None:
        rules = effective(self.DOCUMENT, profile="x", override_patch={"profiles": {"y": {}}})
        with pytest.raises(PolicyInvalid) as refused:
            parse_rules(rules, root="/patch")
        assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [("/patch/profiles", "unknown_field")]

    @given(patch=st.dictionaries(st.sampled_from(sorted(default_document())), JSON, max_size=2))
    def test_of_a_valid_profile_is_valid(self, patch: dict[str, Any]) -> None:
        document = default_document() | {"profiles": {"p": patch}}
        if not faults(document):
            assert faults(effective(document, profile="p")) == []


def test_every_rule_of_the_module_is_a_check() -> None:
    """A rule that no field of OrderChecks uses would never be judged."""
    used = " ".join(str(field.type) for field in dataclasses.fields(OrderChecks))
    rules = [name for name in vars(order_checks) if name.endswith("Rule")]
    assert len(rules) == len(ON_WITH_ALL_PARAMETERS)
    assert [name for name in rules if name not in used] == []
