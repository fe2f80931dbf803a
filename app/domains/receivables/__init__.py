"""Receivables: invoices, credit notes and payments, what is open between them, and how old it is."""
