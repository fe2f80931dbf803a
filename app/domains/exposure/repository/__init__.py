"""SQL of the account: positions on the way to a decision, and what people decide and read beside them."""
