"""SQL of internal control."""
