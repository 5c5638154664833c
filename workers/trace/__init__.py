"""Traces of captures, told from the trail."""
