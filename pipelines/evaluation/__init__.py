"""Evaluation: scores of one model on one evaluation set, before and after."""
