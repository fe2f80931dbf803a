"""The account: limits, holds, commitments, ledger. The only rows that a credit decision locks."""
