"""Sentences that answer a question, each with its evidence: one file for each."""
