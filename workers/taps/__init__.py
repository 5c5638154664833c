"""Taking a capture's taps: each on its own way, from its pod to its packets here."""
