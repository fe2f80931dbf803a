"""Headroom: decides, before goods leave the warehouse, whether a business customer may take them on credit."""
