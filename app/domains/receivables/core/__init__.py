"""Pure rules of open items, payments and the allocations between them."""
