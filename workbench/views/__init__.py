"""Views: one module per screen, each with one function `page()`. They query, draw and bind; what they show is in the store."""
