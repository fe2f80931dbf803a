"""SQL of receivables: documents on the way to and from the book, and the reports over them."""
