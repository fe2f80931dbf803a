"""Pure parts of internal control."""
