"""The credit check, the desk, release of referred orders, shipments."""
