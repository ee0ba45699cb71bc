"""Duplicates: exact and near, and the groups they form."""
