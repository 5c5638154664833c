"""What needs no podcap of its own: these files share one, and run one after the other."""
