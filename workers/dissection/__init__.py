"""What Wireshark's dissectors say about the few packets that show findings."""
