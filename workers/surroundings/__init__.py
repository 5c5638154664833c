"""What was around a pod while it was captured: routes, sockets, what its kernel counted, what governs it."""
