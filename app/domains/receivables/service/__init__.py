"""Use cases of receivables, as other slices and the routes call them:

from app.domains.receivables import service as receivables

[outcome] = await receivables.post_payments(tx, requests=[request])
"""

from app.domains.receivables.service.entering import post_documents
from app.domains.receivables.service.invoices import (
    InvoicePage,
    InvoiceView,
    allocate_credit_note,
    cancel_invoice,
    invoice,
    list_invoices,
    post_invoices,
)
from app.domains.receivables.service.paying import behaviour, marked_accounts, refresh_payment_index
from app.domains.receivables.service.payments import (
    PaymentPage,
    PaymentView,
    allocate_payment,
    list_payments,
    payment,
    post_payments,
    reverse_payment,
)
from app.domains.receivables.service.reports import DocumentTotals, aging, document_totals, statement

__all__ = [
    "DocumentTotals",
    "InvoicePage",
    "InvoiceView",
    "PaymentPage",
    "PaymentView",
    "aging",
    "allocate_credit_note",
    "allocate_payment",
    "behaviour",
    "cancel_invoice",
    "document_totals",
    "invoice",
    "list_invoices",
    "list_payments",
    "marked_accounts",
    "payment",
    "post_documents",
    "post_invoices",
    "post_payments",
    "refresh_payment_index",
    "reverse_payment",
    "statement",
]
