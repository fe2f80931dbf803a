"""Use cases of internal control: draw, find, sign off, report."""

from app.domains.control.service.activity import report
from app.domains.control.service.audits import Audited, draw, get, list_audits, record, sign_off

__all__ = ["Audited", "draw", "get", "list_audits", "record", "report", "sign_off"]
