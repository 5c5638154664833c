"""What runs inside the lab's containers: programs that need Python's standard library alone."""
