"""Customers: who they are, the groups they form, what they have agreed to pay by, and whom to talk to there."""
