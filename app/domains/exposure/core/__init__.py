"""Pure rules of the account."""
