"""Policies: segments, the versioned document of rules of each, and what a single customer is granted beside it."""
