"""Sentences about a Service's traffic, each with its evidence: one file for each."""
