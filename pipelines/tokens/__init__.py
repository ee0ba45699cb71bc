"""Tokens: rows as a model reads them, under its chat template and its tokenizer."""
