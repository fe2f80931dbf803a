"""SQL of credit data: records and the turns of covers, and orders of reports."""
