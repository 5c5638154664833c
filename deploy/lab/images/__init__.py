"""Container images made of this machine's own programs: nothing is downloaded."""
