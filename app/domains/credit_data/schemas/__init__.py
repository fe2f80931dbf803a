"""Credit data on the wire."""
