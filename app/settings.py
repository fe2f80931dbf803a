"""All settings, from the environment. Read only here and by the composition roots above."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.domains.dunning.adapters.carriers import Outbox, SmtpServer
from app.domains.dunning.adapters.stationery import Stationery
from app.infra.http.admission import MAX_CHECKS, MAX_REQUESTS
from app.infra.logging import LogFormat
from app.support.auth.core.duties import bundle_faults
from app.support.auth.core.keys import MIN_BOOTSTRAP_KEY
from app.support.auth.core.scopes import SCOPES_OF_ROLE, Bundles, Role, Scope
from app.support.auth.core.tokens import TokenRules

PREFIX: Final = "HEADROOM_"
_SYMMETRIC: Final = ("none", "hs")


class Settings(BaseSettings):
    """What can be set, each as `HEADROOM_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    database_url: str | None = Field(None, description="PostgreSQL server to use; without it an embedded one is run")
    data_dir: Path = Field(Path(".data"), description="where the embedded PostgreSQL keeps its data")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65_535, description="port to listen on")
    bootstrap_key: SecretStr | None = Field(
        None, description=f"accepted as an administrator's API key; at least {MIN_BOOTSTRAP_KEY} characters"
    )
    roles: Annotated[dict[Role, frozenset[Scope]] | None, NoDecode] = Field(
        None,
        description="scopes of roles where they are to be others than those below, as JSON: "
        '`{"collector": ["customers:read", "dunning:write"]}`',
    )
    time_zone: str = Field("UTC", description="IANA time zone of every segment that has none of its own, `main` first")
    pool_size: int = Field(10, ge=2, le=200, description="database connections per process")
    worker_in_server: bool = Field(True, description="run the periodic jobs in the server process too")
    worker_port: int | None = Field(
        None, ge=0, le=65_535, description="port where `headroom worker` answers `/healthz`, `/readyz` and `/metrics`"
    )
    max_requests: int = Field(
        MAX_REQUESTS, ge=1, le=10_000, description="requests under way at once per process, credit checks not counted"
    )
    max_checks: int = Field(
        MAX_CHECKS, ge=1, le=10_000, description="credit checks under way at once per process, a batch counting as one"
    )
    drain_seconds: float = Field(
        0.0,
        ge=0,
        le=300,
        description="how long to go on after SIGTERM with readiness off, for load balancers to notice",
    )
    events_kept_days: int | None = Field(
        None, ge=30, description="days after which sealed events are deleted; without it they are kept for ever"
    )
    journal_digests_file: Path | None = Field(
        None, description="file to which the journal's digests are appended, outside the reach of whoever can alter it"
    )
    decisions_kept_days: int | None = Field(
        None, ge=30, description="days after which credit checks of finished orders are deleted; without it never"
    )
    dunning_skips_kept_days: int | None = Field(
        400, ge=30, description="days after which a dunning run forgets why it left whom out"
    )
    credit_source_url: str | None = Field(None, description="API of the agency that credit reports are ordered from")
    credit_source_agency: str = Field("agency", pattern=r"^[^/]{1,64}$", description="name of that agency on reports")
    credit_source_token: SecretStr | None = Field(None, description="bearer token for that API")
    log_format: LogFormat = Field(
        LogFormat.AUTO, description="`json`, `console`, or `auto`: by whether a person watches"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least important line logged")
    access_log: bool = Field(True, description="log one line per request")
    request_timeout_seconds: float = Field(30.0, gt=0, le=600, description="deadline of a request")
    smtp_host: str | None = Field(None, description="mail server for reminders; without it they go out as letters")
    smtp_port: int = Field(587, ge=1, le=65_535, description="port of the mail server")
    smtp_security: Literal["none", "starttls", "tls"] = Field(
        "starttls", description="how mail is protected on its way"
    )
    smtp_user: str | None = Field(None, description="user at the mail server")
    smtp_password: SecretStr | None = Field(None, description="password at the mail server")
    mail_from: str = Field("headroom@localhost", max_length=254, description="address that reminders come from")
    dunning_webhook_url: str | None = Field(None, description="where reminders of the channel `webhook` are posted")
    dunning_webhook_secret: SecretStr | None = Field(None, description="key that these are signed with")
    dunning_templates: Path | None = Field(
        None, description="directory of letter and mail templates of your own, before those of the program"
    )
    jwt_issuer: str | None = Field(None, description="`iss` of the JWTs accepted; with the next two switches JWTs on")
    jwt_audience: str | None = Field(None, description="`aud` of the JWTs accepted")
    jwt_jwks_url: str | None = Field(None, description="where the identity provider publishes its signing keys")
    jwt_algorithms: Annotated[tuple[str, ...], NoDecode] = Field(
        ("RS256", "ES256"), description="signature algorithms accepted, separated by commas"
    )
    jwt_leeway_seconds: int = Field(30, ge=0, le=300, description="difference of clocks forgiven")
    jwt_name_claim: str = Field("sub", description="claim that names the actor in the journal")
    jwt_kind_claim: str = Field("headroom_kind", description="claim with `person` or `service`; absent is `service`")
    jwt_role_claim: str = Field("headroom_role", description="claim with one or more roles")
    jwt_scope_claim: str = Field("scope", description="claim with scopes")
    jwt_segments_claim: str = Field(
        "headroom_segments", description="claim with the segments the caller is confined to"
    )
    jwt_authority_claim: str = Field("headroom_authority", description="claim with `{amount, currency}`")

    @field_validator("bootstrap_key")
    @classmethod
    def _long_enough(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) < MIN_BOOTSTRAP_KEY:
            raise ValueError(f"has to have at least {MIN_BOOTSTRAP_KEY} characters")
        return key

    @field_validator("roles", mode="before")
    @classmethod
    def _json(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError("has to be a JSON object of roles, each with a list of scopes") from None

    @field_validator("roles")
    @classmethod
    def _fit_for_one_person(cls, roles: dict[Role, frozenset[Scope]] | None) -> dict[Role, frozenset[Scope]] | None:
        if faults := bundle_faults(roles or {}):
            raise ValueError("; ".join(faults))
        return roles

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("is not an IANA time zone such as Asia/Shanghai") from None
        return name

    @field_validator("jwt_algorithms", mode="before")
    @classmethod
    def _public_key_algorithms(cls, value: object) -> object:
        """Only signatures: with a shared secret, whoever verifies could also sign."""
        names = tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value
        if isinstance(names, tuple) and any(str(name).lower().startswith(_SYMMETRIC) for name in names):
            raise ValueError("has to name signature algorithms such as RS256 or ES256")
        return names

    @model_validator(mode="after")
    def _tokens_whole(self) -> Settings:
        given = [self.jwt_issuer, self.jwt_audience, self.jwt_jwks_url]
        if any(given) and not all(given):
            raise ValueError("HEADROOM_JWT_ISSUER, _AUDIENCE and _JWKS_URL go together")
        return self

    @property
    def bundles(self) -> Bundles:
        """The scopes of every role."""
        return {**SCOPES_OF_ROLE, **(self.roles or {})}

    @property
    def outbox(self) -> Outbox:
        """The channels that reminders go out by."""
        smtp = None
        if self.smtp_host is not None:
            password = self.smtp_password
            smtp = SmtpServer(
                self.smtp_host,
                self.smtp_port,
                self.mail_from,
                user=self.smtp_user,
                password=password.get_secret_value() if password else None,
                security=self.smtp_security,
            )
        secret = self.dunning_webhook_secret
        return Outbox.of(
            Stationery(self.dunning_templates),
            smtp=smtp,
            webhook_url=self.dunning_webhook_url,
            webhook_secret=secret.get_secret_value() if secret else None,
        )

    @property
    def token_rules(self) -> TokenRules | None:
        """Which JWTs are accepted; None for none."""
        if not (self.jwt_issuer and self.jwt_audience and self.jwt_jwks_url):
            return None
        return TokenRules(
            issuer=self.jwt_issuer,
            audience=self.jwt_audience,
            jwks_url=self.jwt_jwks_url,
            algorithms=self.jwt_algorithms,
            leeway_seconds=self.jwt_leeway_seconds,
            name_claim=self.jwt_name_claim,
            kind_claim=self.jwt_kind_claim,
            role_claim=self.jwt_role_claim,
            scope_claim=self.jwt_scope_claim,
            segments_claim=self.jwt_segments_claim,
            authority_claim=self.jwt_authority_claim,
            bundles=self.bundles,
        )


def markdown_table() -> str:
    """The settings as the table that the README shows."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = ",".join(default) if isinstance(default, tuple) else str(default)
        cell = "" if default is None else f"`{shown.lower() if isinstance(default, bool) else shown}`"
        lines.append(f"| `{PREFIX}{name.upper()}` | {cell} | {field.description} |")
    return "\n".join(lines)
