"""Use cases of receivables, as other slices and the routes call them:

from app.domains.receivables import service as receivables

[outcome] = await receivables.post_payments(tx, requests=[request])
"""

from app.domains.receivables.service.disputes import (
    dispute,
    list_disputes,
    open_dispute,
    reject_dispute,
    uphold_dispute,
)
from app.domains.receivables.service.drafts import clear_drafts, clear_payment, payments_that_clear
from app.domains.receivables.service.dunnable import CustomerDues, DueItem, dunnable, dunnable_of
from app.domains.receivables.service.entering import post_documents
from app.domains.receivables.service.forgetting import contact_erased
from app.domains.receivables.service.invoices import (
    InvoicePage,
    InvoiceView,
    allocate_credit_note,
    cancel_invoice,
    invoice,
    list_invoices,
    plan_instalments,
    post_invoices,
)
from app.domains.receivables.service.paying import (
    behaviour,
    behaviours,
    marked_accounts,
    note_broken_promise,
    refresh_payment_index,
)
from app.domains.receivables.service.payments import (
    PaymentPage,
    PaymentView,
    allocate_payment,
    list_payments,
    payment,
    post_payments,
    reverse_payment,
)
from app.domains.receivables.service.refunds import Refunded, refund, refund_credit_note, refund_payment
from app.domains.receivables.service.reports import (
    LINES_MAX,
    TABLE_LINES_MAX,
    DocumentTotals,
    aging,
    document_totals,
    open_items,
    open_items_sheet,
    pdf,
    statement,
    statement_sheet,
)
from app.domains.receivables.service.write_offs import recover, write_off

__all__ = [
    "LINES_MAX",
    "TABLE_LINES_MAX",
    "CustomerDues",
    "DocumentTotals",
    "DueItem",
    "InvoicePage",
    "InvoiceView",
    "PaymentPage",
    "PaymentView",
    "Refunded",
    "aging",
    "allocate_credit_note",
    "allocate_payment",
    "behaviour",
    "behaviours",
    "cancel_invoice",
    "clear_drafts",
    "clear_payment",
    "contact_erased",
    "dispute",
    "document_totals",
    "dunnable",
    "dunnable_of",
    "invoice",
    "list_disputes",
    "list_invoices",
    "list_payments",
    "marked_accounts",
    "note_broken_promise",
    "open_dispute",
    "open_items",
    "open_items_sheet",
    "payment",
    "payments_that_clear",
    "pdf",
    "plan_instalments",
    "post_documents",
    "post_invoices",
    "post_payments",
    "recover",
    "refresh_payment_index",
    "refund",
    "refund_credit_note",
    "refund_payment",
    "reject_dispute",
    "reverse_payment",
    "statement",
    "statement_sheet",
    "uphold_dispute",
    "write_off",
]
