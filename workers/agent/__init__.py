"""The agent pod: what is created on a node for one capture, and removed after it."""
