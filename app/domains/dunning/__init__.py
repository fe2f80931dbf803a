"""Dunning: procedures, runs, notices, calls, promises, and what late payment costs."""
