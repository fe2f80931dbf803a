"""The wire formats of receivables: documents, and reports over them."""
