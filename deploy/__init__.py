"""How podcap runs: the lab, and what installs it into a cluster."""
