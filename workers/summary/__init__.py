"""From a capture file to what a person wants to know of it: flows, what was said, findings."""
