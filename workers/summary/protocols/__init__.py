"""What was said over a flow: one file for each protocol."""
