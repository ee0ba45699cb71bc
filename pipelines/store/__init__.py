"""The project folder: Parquet for what can be derived again, one transactional database for what cannot."""
