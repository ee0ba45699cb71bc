"""Rules: what the people of a project require of rows and of answers. One rule, four places: raw, curated, base model, tuned model."""
