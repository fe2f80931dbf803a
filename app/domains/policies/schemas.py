"""Segments, policies and overrides on the wire, and the JSON Schema of the policy document."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin
from uuid import UUID

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from app.domains.policies.core.difference import Difference
from app.domains.policies.core.document import Policy, default_document
from app.domains.policies.core.overrides import OverrideStatus, PolicyOverride
from app.domains.policies.core.reading import (
    DECIMAL_PATTERN,
    MAX_NAME,
    SIGNED_PATTERN,
    Between,
    Excluding,
    Length,
    hints,
)
from app.domains.policies.core.segments import Segment
from app.domains.policies.core.versions import Standing
from app.domains.policies.service import EffectiveDocument, OverrideView, VersionView
from app.infra.http.fields import BusinessDay, CurrencyCode, Line, Prose, SegmentName, Timestamp, Wire

JsonObject = Annotated[dict[str, Any], Field(json_schema_extra={"type": "object"})]


class SegmentIn(Wire):
    """A segment. Without a time zone (IANA) it follows the deployment's."""

    name: Line
    currency: CurrencyCode
    time_zone: Annotated[Line, Field(max_length=64, examples=["Asia/Shanghai"])] | None = None


class SegmentOut(Wire):
    """A segment; `time_zone` decides what "today" means in it."""

    segment: str
    name: str
    currency: str
    time_zone: str
    follows_deployment: bool
    """Whether the time zone is the deployment's and not its own."""
    version: int


class DraftIn(Wire):
    """A policy document and what it is for."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"document": default_document(), "note": "As delivered"}]}
    )

    document: JsonObject
    note: Prose | None = None


class ActivationIn(Wire):
    """From when on the version holds; by default from now on."""

    effective_at: Timestamp | None = None


class PolicyVersionOut(Wire):
    """One version of a segment's policy."""

    segment: str
    version: int
    status: Standing
    document: JsonObject
    note: str | None
    edited_by: list[str]
    submitted_by: str | None
    submitted_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    rejected_by: str | None
    rejected_at: datetime | None
    activated_by: str | None
    effective_at: datetime | None
    created_at: datetime


class DifferenceOut(Wire):
    """One member that differs; what is absent is null."""

    pointer: str
    before: Any
    after: Any
    words: str


class PolicyDiffOut(Wire):
    """What `version` says differently from `against`."""

    segment: str
    version: int
    against: int
    differences: list[DifferenceOut]


class OverrideIn(Wire):
    """Other rules for one customer: a JSON Merge Patch (RFC 7396) over the policy."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "patch": {"order_checks": {"limit": {"tolerance_percent": "10"}}},
                    "valid_until": "2030-12-31",
                    "reason": "A framework contract with the public sector",
                }
            ]
        }
    )

    segment: SegmentName = "main"
    patch: JsonObject
    valid_until: BusinessDay
    reason: Prose


class OverrideOut(Wire):
    """One override. `decided_by` approved or rejected it."""

    id: UUID
    customer_id: str
    segment: str
    patch: JsonObject
    valid_until: date
    reason: str
    status: OverrideStatus
    requested_by: str
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None


class OverridesOut(Wire):
    """The override in force and the one that waits for approval."""

    in_force: OverrideOut | None
    pending: OverrideOut | None


class EffectivePolicyOut(Wire):
    """The rules that hold for one customer: document, profile, override, in this order."""

    segment: str
    version: int
    profile: str
    override: OverrideOut | None
    document: JsonObject


def segment_out(segment: Segment) -> SegmentOut:
    """A segment as an answer."""
    return SegmentOut(
        segment=segment.segment,
        name=segment.name,
        currency=segment.currency,
        time_zone=segment.zone.key,
        follows_deployment=segment.time_zone is None,
        version=segment.version,
    )


def version_out(view: VersionView) -> PolicyVersionOut:
    """A version as an answer."""
    version = view.version
    members = {name: getattr(version, name) for name in PolicyVersionOut.model_fields}
    return PolicyVersionOut(**members | {"status": view.standing, "edited_by": list(version.edited_by)})


def differences_out(differences: list[Difference]) -> list[DifferenceOut]:
    """Differences as an answer."""
    return [
        DifferenceOut(pointer=each.pointer, before=each.before, after=each.after, words=each.words)
        for each in differences
    ]


def override_out(override: PolicyOverride) -> OverrideOut:
    """An override as an answer."""
    return OverrideOut(**{name: getattr(override, name) for name in OverrideOut.model_fields})


def overrides_out(view: OverrideView) -> OverridesOut:
    """A customer's overrides as an answer."""
    return OverridesOut(
        in_force=override_out(view.in_force) if view.in_force else None,
        pending=override_out(view.pending) if view.pending else None,
    )


def effective_out(effective: EffectiveDocument) -> EffectivePolicyOut:
    """A customer's policy as an answer."""
    return EffectivePolicyOut(
        segment=effective.segment,
        version=effective.version,
        profile=effective.profile,
        override=override_out(effective.override) if effective.override else None,
        document=effective.document,
    )


# ---- the JSON Schema of the document -------------------------------------------------------------------------------


def policy_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a policy document, out of the dataclasses that read it."""
    schema = TypeAdapter(Policy).json_schema(schema_generator=_PolicySchema)
    definitions = {"Policy": schema, **schema.get("$defs", {})}
    for kind in _dataclasses(Policy):
        definition = definitions[kind.__name__]
        definition["additionalProperties"] = False
        for name, hint in hints(kind).items():
            _constrain(definition["properties"][name], hint)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema}


class _PolicySchema(GenerateJsonSchema):
    """Decimals are strings or integers, never floats; their defaults are strings."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "pattern": f"^{DECIMAL_PATTERN}$"}, {"type": "integer"}]}

    def encode_default(self, dft: Any) -> Any:
        return super().encode_default(_without_defaults(dft))


def _without_defaults(value: Any) -> Any:
    """A rule's default as a document would write it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return value


def _dataclasses(kind: type) -> Iterator[type]:
    yield kind
    for hint in hints(kind).values():
        for arm in _arms(hint):
            if dataclasses.is_dataclass(arm) and isinstance(arm, type):
                yield from _dataclasses(arm)


def _arms(hint: Any) -> Iterator[Any]:
    """A type and everything it is made of, annotations included."""
    yield hint
    if get_origin(hint) is not None:
        for part in get_args(hint):
            yield from _arms(part)


def _constrain(schema: dict[str, Any], hint: Any) -> None:
    """Adds what our own annotations say, which pydantic does not know: at `schema`, and at what it is made of."""
    inner, notes = _bare(hint)
    for note in notes:
        _note(schema, note)
    arms = [arm for arm in schema.get("anyOf", [schema]) if "$ref" not in arm]
    if get_origin(inner) is tuple:
        for arm in arms:
            _constrain(arm.get("items", {}), get_args(inner)[0])
    elif get_origin(inner) is Mapping:
        for arm in arms:
            if isinstance(arm.get("additionalProperties"), dict):  # and not `true`: any JSON at all
                _constrain(arm["additionalProperties"], get_args(inner)[1])
            arm["propertyNames"] = {"minLength": 1, "maxLength": MAX_NAME}


def _bare(hint: Any) -> tuple[Any, list[Any]]:
    """The type without None, and all annotations on the way to it."""
    notes: list[Any] = []
    while get_origin(hint) in (Annotated, Union, UnionType):
        if get_origin(hint) is Annotated:
            hint, *more = get_args(hint)
            notes += more
        else:
            hint = next(arm for arm in get_args(hint) if arm is not type(None))
    return hint, notes


def _note(schema: dict[str, Any], note: Any) -> None:
    if isinstance(note, Between):
        for arm in schema.get("anyOf", [schema]):
            if arm.get("type") == "integer":
                arm.update(minimum=note.low, maximum=note.high)
            elif arm.get("type") == "string" and note.low < 0:
                arm["pattern"] = f"^{SIGNED_PATTERN}$"
        schema["description"] = f"{note.low} to {note.high}"
    elif isinstance(note, Excluding):
        schema["not"] = {"const": note.value}
    elif isinstance(note, Length):
        unit = {"array": "Items", "object": "Properties"}.get(schema.get("type", ""), "Length")
        schema.update({f"min{unit}": note.low, f"max{unit}": note.high})
