"""Curation: issues, decisions, recipes, splits, snapshots, reports."""
