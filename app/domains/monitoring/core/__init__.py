"""Pure parts of monitoring."""
