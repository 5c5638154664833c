"""The protocols whose connections are read. Pure."""

from workers.summary.protocols import http2, kafka, postgresql, redis

KNOWN = (http2.KNOWN, redis.KNOWN, postgresql.KNOWN, kafka.KNOWN)
"""Where several could open a connection, the first that does reads it."""
