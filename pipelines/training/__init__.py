"""Training: from a snapshot to an adapter, with a ledger that balances."""
