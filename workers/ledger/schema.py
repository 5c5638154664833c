"""The ledger's tables. Migrations (migrations/versions) build them; a test holds the two together."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class UTCDateTime(TypeDecorator[datetime]):
    """A point in time, always aware and in UTC; SQLite has no time zones, so it is stored without one."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002, SQLAlchemy's signature
        """To the database: in UTC, without saying so."""
        if value is None:
            return None
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002, SQLAlchemy's signature
        """From the database: aware again."""
        return None if value is None else value.replace(tzinfo=UTC)


metadata = MetaData()

captures = Table(
    "captures",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("idempotency_key", String(255), nullable=False, unique=True),
    Column("state", String(32), nullable=False),
    # what was asked for
    Column("cluster", String(63), nullable=False),
    Column("namespace", String(63), nullable=False),
    Column("pod", String(253), nullable=False),
    # all targets as one types them; null where it is the one pod
    Column("targets", Text),
    Column("seconds", Integer, nullable=False),
    Column("filter", Text, nullable=False),
    Column("full", Boolean, nullable=False),
    # a plain pcap file; of captures from before there was a choice it is not known
    Column("pcap", Boolean),
    # by whom, from where
    Column("team_id", String(32), nullable=False),
    Column("channel_id", String(32), nullable=False),
    Column("origin", String(16), nullable=False),
    # a Slack user's id, or the name that Kubernetes knows somebody by
    Column("user_id", Text, nullable=False),
    Column("user_name", String(255), nullable=False),
    Column("user_email", Text),
    Column("response_url", Text),
    # where it reports to
    Column("message_ts", String(32)),
    # the state that Slack shows; behind `state` while Slack is out of reach
    Column("shown", String(32)),
    # the thread's last message
    Column("closing_ts", String(32)),
    Column("file_id", String(32)),
    # the same of the picture beside it
    Column("picture_id", String(32)),
    Column("context_id", String(32)),
    # when
    Column("requested_at", UTCDateTime, nullable=False),
    Column("expires_at", UTCDateTime, nullable=False),
    Column("published_at", UTCDateTime),
    Column("started_at", UTCDateTime),
    # whose it is: the worker that has its lease, and the token that fences off all others
    Column("worker", String(255)),
    Column("token", Integer, nullable=False, server_default="0"),
    Column("ended_at", UTCDateTime),
    Column("stop_requested_by", Text),
    # the second person, where a rule of the policy asks for one
    Column("approved_by", Text),
    # its turn among those that wait (workers.line), and what its message says of that
    Column("turn_at", UTCDateTime),
    Column("round", Integer),
    Column("lap", Integer),
    Column("place", Integer),
    Column("waits_for", Text),
    # what was tapped and what came of it
    Column("pod_uid", String(64)),
    Column("node", String(253)),
    Column("interface", String(64)),
    Column("tap", Text),
    Column("confidence", String(16)),
    Column("packets", BigInteger),
    Column("bytes", BigInteger),
    Column("dropped", BigInteger),
    Column("ended_by", String(32)),
    Column("spool_sha256", String(64)),
    Column("file_sha256", String(64)),
    Column("file_url", Text),
    # what the store holds of it, as long as there is a file_url
    Column("file_bytes", BigInteger),
    # when the file was whole in the store
    Column("stored_at", UTCDateTime),
    # the one sentence of a capture that did not end as asked
    Column("sentence", Text),
)
Index("captures_by_state", captures.c.state)
Index("captures_by_round", captures.c.round)
Index("captures_by_lap", captures.c.channel_id, captures.c.lap)
Index("captures_by_end", captures.c.ended_at)

taps = Table(
    "taps",
    metadata,
    Column(
        "capture_id",
        String(16),
        ForeignKey("captures.id", ondelete="CASCADE", onupdate="CASCADE"),
        primary_key=True,
    ),
    Column("number", Integer, primary_key=True, autoincrement=False),
    # what is tapped: of a pod, namespace and name; of a node's uplink, the node alone
    Column("kind", String(16), nullable=False),
    Column("namespace", String(63), nullable=False),
    Column("pod", String(253), nullable=False),
    Column("pod_uid", String(64)),
    Column("node", String(253)),
    # of which target of the capture it is
    Column("target", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    # what narrows it besides the capture's filter
    Column("filter", Text, nullable=False),
    Column("interface", String(64)),
    Column("tap", Text),
    Column("confidence", String(16)),
    # a list in JSON
    Column("addresses", Text, nullable=False),
    # nanoseconds since 1970, by the node's clock
    Column("began", BigInteger),
    Column("packets", BigInteger),
    Column("bytes", BigInteger),
    Column("dropped", BigInteger),
    Column("ended_by", String(32)),
    Column("spool_sha256", String(64)),
    Column("sentence", Text),
)
Index("taps_by_node", taps.c.node)

# Append-only: triggers (migration 0002) forbid changing or removing a row. No foreign key: an entry outlives
# the row of its capture. Everything but the hash is covered by it byte for byte, so times are text.
trail = Table(
    "trail",
    metadata,
    # INTEGER, and only that, holds nothing but integers in SQLite
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", String(27), nullable=False),
    Column("event", String(32), nullable=False),
    Column("capture_id", String(16), index=True),
    Column("namespace", String(63)),
    Column("pod", String(253)),
    Column("by", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("hash", String(64), nullable=False),
)
Index("trail_by_pod", trail.c.namespace, trail.c.pod)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("capture_id", String(16), ForeignKey("captures.id"), primary_key=True),
    Column("worker", String(255), nullable=False),
    Column("token", Integer, nullable=False),
    Column("at", UTCDateTime, nullable=False),
)

# How far the trail is copied into a channel of Slack.
mirrors = Table(
    "mirrors",
    metadata,
    Column("channel", String(255), primary_key=True),
    Column("number", BigInteger, nullable=False),
)

# Which podcap this is, among those that share a cluster. One row, whose number is 1.
installations = Table(
    "installations",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("id", String(16), nullable=False),
)

# The one store, as the workers that reach it found it: bytes that a folder's disk has left (none: it is no
# folder), and when files that no capture has were last looked for. One row, whose number is 1.
stores = Table(
    "stores",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("free_bytes", BigInteger),
    Column("swept_at", UTCDateTime),
)
