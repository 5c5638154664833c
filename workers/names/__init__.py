"""Who an address belongs to, from a snapshot of the cluster at the time of the capture. Pure."""
