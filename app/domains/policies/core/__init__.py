"""The policy document and its rules of change, as pure values and functions."""
