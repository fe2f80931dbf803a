"""Limit requests and their way through approval, deputies, and the reviews of accounts."""
