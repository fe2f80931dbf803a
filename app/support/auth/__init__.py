"""Who is calling, and what they may: API keys, JWTs, scopes and segments."""
