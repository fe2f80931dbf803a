"""The outside world of dunning: the law as data, business days, letters, mail."""
