"""SQL of limit requests, deputies, notices and reviews."""
