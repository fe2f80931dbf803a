"""What callers may do."""

from __future__ import annotations

import pytest

from app.kernel.identity import Actor, ActorKind
from app.support.auth.core.keys import KEY_PREFIX, key_hash, key_text, shown_part
from app.support.auth.core.principals import Principal, ScopeMissing, SegmentNotFound
from app.support.auth.core.scopes import SCOPES_OF_ROLE, Role, Scope


def principal(*scopes: Scope, segments: frozenset[str] | None = None) -> Principal:
    return Principal("key:1", "Ada", ActorKind.PERSON, frozenset(scopes), segments)


class TestMay:
    def test_is_what_was_granted(self) -> None:
        clerk = principal(Scope.ORDERS_CHECK)
        assert clerk.may(Scope.ORDERS_CHECK)
        assert not clerk.may(Scope.ORDERS_RELEASE)

    def test_of_an_administrator_is_everything(self) -> None:
        assert all(principal(Scope.ADMIN).may(scope) for scope in Scope)

    def test_of_a_writer_includes_reading(self) -> None:
        assert principal(Scope.CUSTOMERS_WRITE).may(Scope.CUSTOMERS_READ)
        assert not principal(Scope.CUSTOMERS_READ).may(Scope.CUSTOMERS_WRITE)


class TestRequire:
    def test_takes_any_one_of_several(self) -> None:
        principal(Scope.REPORTS_READ).require(Scope.CUSTOMERS_READ, Scope.REPORTS_READ)

    def test_names_what_is_missing(self) -> None:
        with pytest.raises(ScopeMissing, match="limits:approve or limits:set"):
            principal(Scope.REPORTS_READ).require(Scope.LIMITS_SET, Scope.LIMITS_APPROVE)


class TestConfine:
    def test_lets_everything_through_where_nobody_is_confined(self) -> None:
        assert principal().confine("eu") == "eu"

    def test_hides_the_segments_of_others(self) -> None:
        confined = principal(segments=frozenset({"main"}))
        assert confined.confine("main") == "main"
        with pytest.raises(SegmentNotFound):
            confined.confine("eu")


class TestRoles:
    def test_have_scopes_each(self) -> None:
        assert set(SCOPES_OF_ROLE) == set(Role)
        assert all(SCOPES_OF_ROLE.values())

    def test_give_everything_to_nobody(self) -> None:
        assert [role for role in Role if Scope.ADMIN in SCOPES_OF_ROLE[role]] == []

    def test_reach_every_scope_but_admin_together(self) -> None:
        assert frozenset().union(*SCOPES_OF_ROLE.values()) == set(Scope) - {Scope.ADMIN}

    def test_let_nobody_write_and_approve_policies(self) -> None:
        both = {Scope.POLICIES_WRITE, Scope.POLICIES_APPROVE}
        assert not [role for role in Role if both <= SCOPES_OF_ROLE[role]]

    def test_of_the_auditor_write_nothing_but_audits(self) -> None:
        writing = {scope for scope in SCOPES_OF_ROLE[Role.AUDITOR] if not scope.endswith(":read")}
        assert writing == {Scope.AUDITS_WRITE}


class TestPrincipal:
    def test_acts_under_its_name(self) -> None:
        assert principal().actor == Actor("Ada", ActorKind.PERSON)


class TestKeys:
    def test_carry_all_their_entropy(self) -> None:
        texts = {key_text(number.to_bytes(32)) for number in (0, 1, (1 << 256) - 1)}
        assert len(texts) == 3
        assert {len(text) for text in texts} == {len(KEY_PREFIX) + 43}
        assert all(text.removeprefix(KEY_PREFIX).isalnum() for text in texts)

    def test_are_recognised_by_their_first_characters_only(self) -> None:
        text = key_text(b"\xaa" * 32)
        assert text.startswith(shown_part(text))
        assert len(shown_part(text)) < 16
        assert len(key_hash(text)) == 32
