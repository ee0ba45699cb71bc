"""Winnow's library: from a source to curated splits, a tuned adapter and honest numbers."""

__version__ = "0.1.0"
