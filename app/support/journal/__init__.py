"""The append-only record of everything that changed state: audit trail and event feed in one."""
