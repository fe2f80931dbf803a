"""Pure rules of dunning: who is reminded of what, at which level, at what cost, and why nobody is when nobody is."""
