"""Slices that any service needs: who calls, exactly once, what happened."""
