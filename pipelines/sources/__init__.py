"""Sources: what the user brought, read row by row, understood, and merged into the project's records."""
