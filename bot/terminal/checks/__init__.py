"""What `podcap doctor` looks at: one file for each thing outside that podcap needs."""
