"""Settings: from the environment, checked at the start."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from app.settings import Settings, markdown_table
from app.support.auth.core.scopes import SCOPES_OF_ROLE, Role, Scope

TOKENS = {
    "HEADROOM_JWT_ISSUER": "https://id.example",
    "HEADROOM_JWT_AUDIENCE": "headroom",
    "HEADROOM_JWT_JWKS_URL": "https://id.example/jwks",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"HEADROOM_{name.upper()}", raising=False)
    return monkeypatch


class TestSettings:
    def test_need_nothing(self) -> None:
        settings = Settings()
        assert settings.database_url is None
        assert settings.token_rules is None
        assert settings.port == 8000

    def test_come_from_the_environment(self, environment: pytest.MonkeyPatch) -> None:
        environment.setenv("HEADROOM_PORT", "9000")
        environment.setenv("HEADROOM_TIME_ZONE", "Asia/Shanghai")
        environment.setenv("HEADROOM_WORKER_IN_SERVER", "false")
        settings = Settings()
        assert (settings.port, settings.time_zone, settings.worker_in_server) == (9000, "Asia/Shanghai", False)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("PORT", "70000"),
            ("TIME_ZONE", "Mars/Olympus"),
            ("TIME_ZONE", "../etc/passwd"),
            ("BOOTSTRAP_KEY", "short"),
            ("LOG_LEVEL", "loud"),
            ("POOL_SIZE", "0"),
            ("JWT_ALGORITHMS", "RS256,HS256"),
            ("JWT_ALGORITHMS", "none"),
            ("JWT_ISSUER", "https://id.example"),
            ("ROLES", '{"king": ["reports:read"]}'),
            ("ROLES", '{"collector": ["everything"]}'),
            ("ROLES", '{"collector": ["admin"]}'),
            ("ROLES", '{"collector": ["receivables:write", "receivables:write_off"]}'),
            ("ROLES", "collector"),
        ],
    )
    def test_refuse_what_cannot_work(self, environment: pytest.MonkeyPatch, name: str, value: str) -> None:
        environment.setenv(f"HEADROOM_{name}", value)
        with pytest.raises(ValidationError):
            Settings()

    def test_give_roles_other_scopes(self, environment: pytest.MonkeyPatch) -> None:
        environment.setenv("HEADROOM_ROLES", '{"collector": ["customers:read", "dunning:write", "holds:write"]}')
        bundles = Settings().bundles
        assert bundles[Role.COLLECTOR] == {Scope.CUSTOMERS_READ, Scope.DUNNING_WRITE, Scope.HOLDS_WRITE}
        assert bundles[Role.AUDITOR] == SCOPES_OF_ROLE[Role.AUDITOR]

    def test_never_show_the_bootstrap_key(self, environment: pytest.MonkeyPatch) -> None:
        environment.setenv("HEADROOM_BOOTSTRAP_KEY", "k" * 32)
        assert "k" * 32 not in repr(Settings())

    def test_switch_tokens_on_together(self, environment: pytest.MonkeyPatch) -> None:
        for name, value in TOKENS.items():
            environment.setenv(name, value)
        environment.setenv("HEADROOM_JWT_ALGORITHMS", "EdDSA, ES256")
        rules = Settings().token_rules
        assert rules is not None
        assert (rules.issuer, rules.algorithms) == ("https://id.example", ("EdDSA", "ES256"))


class TestMarkdownTable:
    def test_has_a_row_for_every_setting_with_its_meaning(self) -> None:
        rows = markdown_table().splitlines()[2:]
        assert len(rows) == len(Settings.model_fields)
        assert all(row.startswith("| `HEADROOM_") and not row.endswith("| None |") for row in rows)
        assert "| `HEADROOM_WORKER_IN_SERVER` | `true` |" in markdown_table()
