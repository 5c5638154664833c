"""The headers-only cut: each packet ends behind its own layer-4 header."""
