"""Facts and a policy in, an assessment out: pure values and functions."""
