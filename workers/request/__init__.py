"""What a person asks for: text becomes a request, and a capture filter is checked before anything runs."""
