"""When a test has hung: the one figure for every guard against waiting without end."""

HANGS = 180
"""Seconds. Nothing is measured by it: whatever is waited for takes a small part of it on a busy machine."""
