"""Pure parts of the journal: how events are encoded and chained, and what tampering looks like."""
