"""What receivables refuse, by name."""

from __future__ import annotations

from app.kernel.errors import Busy, Conflict, Fault, Invalid, NotFound


class InvoiceNotFound(NotFound):
    """No invoice, debit note or credit note has this number in the segment."""

    code = "invoice_not_found"
    title = "No such invoice"


class PaymentNotFound(NotFound):
    """No payment has this reference in the segment."""

    code = "payment_not_found"
    title = "No such payment"


class InvoiceConflict(Conflict):
    """The number was posted before, and it said something else."""

    code = "invoice_conflict"
    title = "Another invoice has this number"


class PaymentConflict(Conflict):
    """The reference was posted before, and it said something else."""

    code = "payment_conflict"
    title = "Another payment has this reference"


class InvoiceAllocated(Conflict):
    """Something is allocated to the invoice or from the credit note, so it can't be cancelled."""

    code = "invoice_allocated"
    title = "The invoice has allocations"


class InvoiceAlreadyCancelled(Conflict):
    """The invoice was cancelled before."""

    code = "invoice_cancelled"
    title = "The invoice is cancelled"


class PaymentAlreadyReversed(Conflict):
    """The payment was reversed before."""

    code = "payment_reversed"
    title = "The payment is reversed"


class InvoiceSettled(Conflict):
    """Nothing of the invoice is open."""

    code = "invoice_settled"
    title = "Nothing of the invoice is open"


class InvoiceIsACredit(Conflict):
    """A credit note owes nothing: it can't be disputed, written off or paid in parts."""

    code = "invoice_is_a_credit"
    title = "A credit note is not to be paid"


class DisputeNotFound(NotFound):
    """The invoice has no such dispute."""

    code = "dispute_not_found"
    title = "No such dispute"


class DisputeResolved(Conflict):
    """The dispute has ended."""

    code = "dispute_resolved"
    title = "The dispute is resolved"


class RefundNotFound(NotFound):
    """Nothing was refunded under this reference in the segment."""

    code = "refund_not_found"
    title = "No such refund"


class RefundConflict(Conflict):
    """The reference was used for another refund."""

    code = "refund_conflict"
    title = "Another refund has this reference"


class NothingToRefund(Conflict):
    """Nothing is left of the payment or credit note."""

    code = "nothing_to_refund"
    title = "There is nothing to refund"


class RefundExceedsCredit(Invalid):
    """More would be paid back than is left of the payment or credit note."""

    code = "refund_exceeds_credit"
    title = "The refund is more than what is left"


class DisputeExceedsItem(Invalid):
    """More would be disputed than is open and not yet disputed."""

    code = "dispute_exceeds_item"
    title = "The dispute is about more than is open"


class WriteOffExceedsItem(Invalid):
    """More would be written off than is open."""

    code = "write_off_exceeds_item"
    title = "The write-off is more than is open"


class RecoveryExceedsWriteOff(Invalid):
    """More would be recovered than was written off."""

    code = "recovery_exceeds_write_off"
    title = "The recovery is more than was written off"


class InstalmentsContradictory(Invalid):
    """The instalments don't sum to the amount, or don't fall due one after another."""

    code = "instalments_contradictory"
    title = "The instalments contradict the amount or each other"


class DiscountContradictory(Invalid):
    """A discount without percentage or without days, or on a credit note."""

    code = "discount_contradictory"
    title = "A discount has a percentage and days"


class AdvanceWithoutOrder(Invalid):
    """An advance payment must name its order, and only that may."""

    code = "advance_without_order"
    title = "An advance payment names the order it is for"


class SettlesContradictory(Invalid):
    """What the cash settles differs from the cash, though both are in one currency."""

    code = "settles_contradictory"
    title = "Within one currency cash settles its own amount"


class SettlesNothing(Invalid):
    """The cash is less than half of the smallest unit of the item's currency."""

    code = "settles_nothing"
    title = "The amount is worth nothing in the item's currency"


class NotACreditNote(Conflict):
    """Only a credit note can be allocated; an invoice is what is allocated to."""

    code = "not_a_credit_note"
    title = "Not a credit note"


class NothingToAllocate(Conflict):
    """Nothing is left of the payment, or nothing is open that it could settle."""

    code = "nothing_to_allocate"
    title = "There is nothing to allocate"


class DueContradictory(Invalid):
    """Both a due day and net days were given."""

    code = "due_contradictory"
    title = "Give due_on or net_days, not both"


class FxRateContradictory(Invalid):
    """A rate other than 1 between a currency and itself."""

    code = "fx_rate_contradictory"
    title = "Within one currency the rate is 1"


class OrdersContradictory(Invalid):
    """The orders that the invoice names do not go together with it or with each other."""

    code = "orders_contradictory"
    title = "The orders do not go together"


class OrdersExceedInvoice(Invalid):
    """The orders' amounts sum to more than the invoice's."""

    code = "orders_exceed_invoice"
    title = "The orders sum to more than the invoice"


class OrderCurrencyMismatch(Invalid):
    """The order is in another currency than the invoice."""

    code = "order_currency_mismatch"
    title = "The order is in another currency"


class CurrencyDiffers(Invalid):
    """The item is in another currency than what is to settle it."""

    code = "currency_mismatch"
    title = "The item is in another currency"


class InvoiceUnknown(Invalid):
    """An allocation or a credit note names an invoice that does not exist."""

    code = "invoice_unknown"
    title = "An invoice that is named does not exist"


class InvoiceOfAnotherCustomer(Invalid):
    """The invoice that is named belongs to somebody outside the customer's group."""

    code = "invoice_of_another_customer"
    title = "An invoice that is named belongs to somebody else"


class InvoiceNotPayable(Invalid):
    """The item that is named is a credit note or cancelled."""

    code = "invoice_not_payable"
    title = "An item that is named is not to be paid"


class AllocationExceedsItem(Invalid):
    """The allocation settles more than is open."""

    code = "allocation_exceeds_item"
    title = "The allocation is more than the item's open amount"


class AllocationExceedsPayment(Invalid):
    """The allocations use more than is left of the payment or credit note."""

    code = "allocation_exceeds_payment"
    title = "The allocations are more than what is left to allocate"


class StatementTooLong(Invalid):
    """More has moved in the days asked for than one answer holds."""

    code = "statement_too_long"
    title = "Too many movements for one statement"


class DocumentBusy(Busy):
    """Another transaction is just posting the same number; the same request may pass in a moment."""

    code = "document_busy"
    title = "The same document is just being posted"


def at(refusal: type[Invalid], pointer: str, message: str) -> Invalid:
    """The refusal of one place of the input (JSON pointer)."""
    return refusal(message, faults=[Fault(pointer, refusal.code, message)])
