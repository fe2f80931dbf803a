"""Use cases of credit data, as other slices and the routes call them:

from app.domains.credit_data import service as credit_data

file = await credit_data.credit_file(tx, customer_id="C-1", segment="main", known_at=tx.now)
"""

from app.domains.credit_data.service.covers import (
    cover_on,
    payable_today,
    put_cover,
    turn_covers,
    turning_covers,
    withdrawn_since,
)
from app.domains.credit_data.service.filing import Filing, RecordPage, Request
from app.domains.credit_data.service.ordering import (
    Ordered,
    begin_attempt,
    deliver,
    due_report_orders,
    fail_attempt,
    list_report_orders,
    order_report,
    report_order,
)
from app.domains.credit_data.service.reading import (
    credit_file,
    credit_files,
    find_record,
    list_records,
    record,
    record_versions,
)
from app.domains.credit_data.service.records import (
    answer_questions,
    correct_adverse_event,
    correct_reference,
    correct_report,
    enter_adverse_event,
    enter_reference,
    enter_report,
    put_statement,
    retract,
)
from app.domains.credit_data.service.stopping import Stopping, is_on_file, stopping

__all__ = [
    "Filing",
    "Ordered",
    "RecordPage",
    "Request",
    "Stopping",
    "answer_questions",
    "begin_attempt",
    "correct_adverse_event",
    "correct_reference",
    "correct_report",
    "cover_on",
    "credit_file",
    "credit_files",
    "deliver",
    "due_report_orders",
    "enter_adverse_event",
    "enter_reference",
    "enter_report",
    "fail_attempt",
    "find_record",
    "is_on_file",
    "list_records",
    "list_report_orders",
    "order_report",
    "payable_today",
    "put_cover",
    "put_statement",
    "record",
    "record_versions",
    "report_order",
    "retract",
    "stopping",
    "turn_covers",
    "turning_covers",
    "withdrawn_since",
]
