"""Sources: what the user brought, read row by row."""
