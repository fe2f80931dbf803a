"""The pure part of credit data."""
