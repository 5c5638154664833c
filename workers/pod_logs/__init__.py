"""A pod's own log beside its packets: read, rid of secrets, and each request's line put to its packets."""
