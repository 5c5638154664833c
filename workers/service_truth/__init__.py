"""What became of a Service's traffic: who came in where, which replica answered, and why."""
