"""HTTP below the business: problem documents, limits, strict JSON, health."""
