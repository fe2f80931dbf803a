"""The wire formats of dunning."""
