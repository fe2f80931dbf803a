"""Customers as pure values: terms, particulars, groups."""
