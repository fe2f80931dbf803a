"""Judging, routing and approving limit requests, as pure values and functions."""
