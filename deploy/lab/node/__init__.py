"""A node of the lab: its own network, processes, mounts, cgroups and name."""
