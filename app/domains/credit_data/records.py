"""Records of the credit file, to and from their rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from sqlalchemy import Row

from app.domains.credit_data.core.answers import Answer
from app.domains.credit_data.core.covers import Cover
from app.domains.credit_data.core.records import Filed, Kind
from app.domains.credit_data.core.references import AdverseEvent, TradeReference
from app.domains.credit_data.core.reports import CreditReport
from app.domains.credit_data.core.statements import FinancialStatement
from app.domains.credit_data.tables import CreditRecordRow
from app.domains.policies.core.factors import Independence
from app.kernel.records import load

CONTENT_OF: Final[Mapping[Kind, type[Any]]] = {
    Kind.STATEMENT: FinancialStatement,
    Kind.REPORT: CreditReport,
    Kind.REFERENCE: TradeReference,
    Kind.ADVERSE_EVENT: AdverseEvent,
    Kind.COVER: Cover,
    Kind.ANSWER: Answer,
}


def document(content: Any) -> dict[str, Any]:
    """The content of a record as JSON: decimals and days as text."""
    written: dict[str, Any] = orjson.loads(orjson.dumps(content, default=str))
    return written


def filed(row: CreditRecordRow | Row[Any]) -> Filed[Any]:
    """The version of a record that `row`, or one with its columns, holds."""
    kind = Kind(row.kind)
    return Filed(
        id=row.record_id,
        customer_id=row.customer_id,
        kind=kind,
        ref=row.ref,
        segment=row.segment,
        version=row.version,
        valid_on=row.valid_on,
        source=row.source,
        independence=Independence(row.independence),
        known_at=row.known_at,
        entered_by=row.entered_by,
        content=load(CONTENT_OF[kind], row.content),
        superseded_at=row.superseded_at,
        retracted=row.retracted,
        reason=row.reason,
    )
