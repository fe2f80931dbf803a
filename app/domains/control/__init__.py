"""Internal control: audits of decisions that others have taken, and who has done how much.

A slice of its own, on top of all: it keeps what auditors find, so it is no mere read side, and none of those it looks
at may know of it.
"""
