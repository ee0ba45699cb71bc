"""Features: what is computed once over a whole set and used by many."""
