"""SQL of dunning."""
