"""The section `approvals`: what it refuses, and which way a request goes."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domains.policies.core.approvals import Approvals, Authority, approvals_faults, default_approvals
from app.domains.policies.core.document import default_document, faults, parse
from app.domains.policies.core.reading import read

GRADES = list("ABCDEFGH")
JUNIOR = {"role": "analyst", "max_amount": "100"}
DIRECTOR = ["finance_director"]
MIDDLE = {"role": "manager", "max_amount": "1000"}
SENIOR = {"role": "director", "max_amount": None}
REST = {"roles": ["manager", "director"], "up_to": None, "worst_grade": None}


def section(**members: Any) -> dict[str, Any]:
    """The default section with some members said otherwise."""
    return {**copy.deepcopy(default_approvals()), **members}


def with_matrix(*rows: dict[str, Any]) -> dict[str, Any]:
    return section(authorities=[JUNIOR, MIDDLE, SENIOR], matrix=list(rows))


def places(approvals: Any) -> list[tuple[str, str]]:
    """Pointer and code of every fault of a document with this section."""
    found = faults(default_document() | {"approvals": approvals})
    return [(fault.pointer.removeprefix("/approvals"), fault.code) for fault in found]


def approvals(document: dict[str, Any]) -> Approvals:
    found = read(Approvals, document, "", [])
    assert found is not None
    return found


class TestDefault:
    def test_is_valid_by_itself(self) -> None:
        assert approvals_faults(approvals(default_approvals()), "", GRADES) == []

    def test_gives_nothing_automatically_below_c(self) -> None:
        rules = approvals(default_approvals())
        assert [rules.ceiling_of(grade) is not None for grade in GRADES] == [True] * 3 + [False] * 5

    @pytest.mark.parametrize(
        ("amount", "grade", "roles"),
        [
            ("500000", "A", ["credit_manager"]),
            ("500000.01", "A", ["credit_manager", "finance_director"]),
            ("100000", "E", ["credit_manager"]),
            ("100001", "E", ["credit_manager", "finance_director"]),
            ("100001", None, ["credit_manager", "finance_director"]),
            ("1", None, ["credit_manager"]),
        ],
    )
    def test_asks_more_people_for_more_credit(self, amount: str, grade: str | None, roles: list[str]) -> None:
        rank = None if grade is None else GRADES.index(grade)
        assert list(approvals(default_approvals()).route(Decimal(amount), rank, GRADES).roles) == roles


class TestAbsent:
    def test_lets_one_role_decide_on_everything(self) -> None:
        plain = parse({"order_checks": {}}).approvals
        assert plain.route(Decimal(10**14), None, GRADES).roles == ("finance_director",)
        assert plain.authority_of("finance_director") == Authority("finance_director", None)

    def test_gives_nothing_automatically(self) -> None:
        plain = parse({"order_checks": {}}).approvals
        assert [plain.ceiling_of(grade) for grade in GRADES] == [None] * 8
        assert plain.counter_offer is None

    def test_needs_no_authority_for_a_release(self) -> None:
        assert parse({"order_checks": {}}).approvals.release.authority_above is None


class TestFaults:
    @pytest.mark.parametrize(
        ("members", "pointer", "code"),
        [
            ({"escalate_after_hours": 0}, "/escalate_after_hours", "out_of_range"),
            ({"assessment_max_age_days": None}, "/assessment_max_age_days", "integer_expected"),
            ({"decline_worse_than": "Z"}, "/decline_worse_than", "unknown_grade"),
            ({"automatic": None}, "/automatic", "cannot_be_off"),
            ({"release": {"reasons": [""]}}, "/release/reasons/0", "wrong_length"),
            ({"counter_offer": {"min_percent": 101}}, "/counter_offer/min_percent", "out_of_range"),
            ({"matrix": []}, "/matrix", "wrong_length"),
            ({"matrix": [{"roles": []}]}, "/matrix/0/roles", "wrong_length"),
            ({"matrix": [{"roles": ["nobody"]}]}, "/matrix/0/roles/0", "unknown_role"),
            (
                {"matrix": [{"roles": DIRECTOR, "worst_grade": "Z"}]},
                "/matrix/0/worst_grade",
                "unknown_grade",
            ),
            ({"matrix": [{"roles": DIRECTOR, "up_to": "9"}]}, "/matrix/0", "matrix_gap"),
            ({"matrix": [{"roles": DIRECTOR, "worst_grade": "C"}]}, "/matrix/0", "matrix_gap"),
            ({"matrix": [{"roles": ["credit_manager"]}]}, "/matrix/0/roles", "authority_too_small"),
        ],
    )
    def test_point_at_the_place(self, members: dict[str, Any], pointer: str, code: str) -> None:
        assert places(section(**members)) == [(pointer, code)]

    def test_name_a_grade_whose_ceiling_is_above_a_better_one_s(self) -> None:
        ceilings = [{"grade": "B", "max_amount": "2"}, {"grade": "A", "max_amount": "1"}]
        found = places(section(automatic={"ceilings": ceilings}))
        assert found == [("/automatic/ceilings/0/max_amount", "not_monotone")]

    def test_name_a_grade_that_has_two_ceilings(self) -> None:
        ceilings = [{"grade": "A", "max_amount": "2"}, {"grade": "A", "max_amount": "1"}]
        assert places(section(automatic={"ceilings": ceilings})) == [("/automatic/ceilings/1/grade", "duplicate")]

    def test_name_a_role_that_is_there_twice(self) -> None:
        assert places(section(authorities=[MIDDLE, MIDDLE], matrix=[{"roles": ["manager"]}])) == [
            ("/authorities/1/role", "duplicate")
        ]
        assert places(with_matrix({"roles": ["director", "director"]})) == [("/matrix/0/roles/1", "duplicate")]

    def test_name_a_senior_who_may_not_approve_more(self) -> None:
        found = places(section(authorities=[SENIOR, MIDDLE], matrix=[{"roles": ["director"]}]))
        assert found == [("/authorities/1/max_amount", "not_rising")]

    def test_name_a_row_where_the_senior_comes_first(self) -> None:
        assert places(with_matrix({"roles": ["director", "analyst"]})) == [("/matrix/0/roles", "not_rising")]

    def test_name_a_row_that_asks_less_for_more_credit(self) -> None:
        found = places(with_matrix({"roles": ["manager", "director"], "up_to": "50"}, {"roles": ["director"]}))
        assert found == [("/matrix/1/roles", "not_monotone")]

    def test_name_a_row_that_asks_less_for_a_worse_grade(self) -> None:
        good, bad = {"roles": ["manager"], "up_to": "50", "worst_grade": "B"}, {"roles": ["analyst"], "up_to": "50"}
        assert places(with_matrix(good, bad, REST)) == [("/matrix/1/roles", "not_monotone")]

    def test_of_a_profile_lie_below_it(self) -> None:
        profiles = {"retail": {"approvals": {"matrix": [{"roles": ["nobody"]}]}}}
        found = faults(default_document() | {"profiles": profiles})
        assert [fault.pointer for fault in found] == ["/profiles/retail/approvals/matrix/0/roles/0"]


AMOUNTS = st.one_of(st.none(), st.integers(1, 2000).map(str))
ROWS = st.fixed_dictionaries(
    {
        "roles": st.sampled_from(
            [["analyst"], ["manager"], ["director"], ["analyst", "manager"], ["manager", "director"]]
        ),
        "up_to": AMOUNTS,
        "worst_grade": st.one_of(st.none(), st.sampled_from(GRADES)),
    }
)


class TestMatrix:
    @given(rows=st.lists(ROWS, max_size=4), less=st.integers(1, 2500), more=st.integers(1, 2500))
    def test_never_asks_less_for_more_credit_or_a_worse_grade(
        self, rows: list[dict[str, Any]], less: int, more: int
    ) -> None:
        document = with_matrix(*rows, REST)
        assume(less <= more and not places(document))
        rules = approvals(document)
        ranks: list[int | None] = [*range(len(GRADES)), None]
        for better, worse in zip(ranks, [*ranks[1:], None], strict=True):
            asked = rules.route(Decimal(less), better, GRADES).roles
            for amount, rank in ((more, better), (less, worse), (more, worse)):
                needed = rules.route(Decimal(amount), rank, GRADES).roles
                assert len(needed) >= len(asked)
                assert rules.seniority(needed[-1]) >= rules.seniority(asked[-1])  # type: ignore[operator]

    @given(amount=st.integers(1, 10**9))
    def test_ends_with_somebody_who_may_approve_the_amount(self, amount: int) -> None:
        rules = approvals(default_approvals())
        for rank in (*range(len(GRADES)), None):
            reach = rules.authority_of(rules.route(Decimal(amount), rank, GRADES).roles[-1]).max_amount
            assert reach is None or reach >= amount
