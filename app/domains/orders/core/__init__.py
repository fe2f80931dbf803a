"""Pure rules of the credit check."""
