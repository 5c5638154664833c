"""The command `podcap` in a terminal: one file a command, put together in `main`."""
