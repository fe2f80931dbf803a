"""Vocabulary that every layer shares. Standard library only: no clock, no input or output, no framework."""
