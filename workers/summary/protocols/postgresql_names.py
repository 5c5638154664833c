"""Names of PostgreSQL's protocol and language that may be shown. Pure."""

ASKED = {b"P": "Parse", b"B": "Bind", b"E": "Execute", b"D": "Describe", b"C": "Close"}
"""Messages of a batch, by type (manual, "Message Formats")."""

SEVERITIES = frozenset(("ERROR", "FATAL", "PANIC"))

_KEYWORDS = """
ABORT ALTER ANALYZE BEGIN CALL CHECKPOINT CLOSE CLUSTER COMMENT COMMIT COPY CREATE DEALLOCATE DECLARE
DELETE DISCARD DO DROP END EXECUTE EXPLAIN FETCH GRANT IMPORT INSERT LISTEN LOAD LOCK MERGE MOVE NOTIFY
PREPARE REASSIGN REFRESH REINDEX RELEASE RESET REVOKE ROLLBACK SAVEPOINT SECURITY SELECT SET SHOW START
TABLE TRUNCATE UNLISTEN UPDATE VACUUM VALUES WITH IDENTIFY_SYSTEM START_REPLICATION
CREATE_REPLICATION_SLOT
"""
KEYWORDS = frozenset(_KEYWORDS.split())
"""What a statement can begin with (manual, "SQL Commands"). A word that is none of these is never shown."""

CONDITIONS = {
    "08006": "connection_failure",
    "08P01": "protocol_violation",
    "0A000": "feature_not_supported",
    "22001": "string_data_right_truncation",
    "22P02": "invalid_text_representation",
    "23502": "not_null_violation",
    "23503": "foreign_key_violation",
    "23505": "unique_violation",
    "23514": "check_violation",
    "25006": "read_only_sql_transaction",
    "25P02": "in_failed_sql_transaction",
    "25P03": "idle_in_transaction_session_timeout",
    "28000": "invalid_authorization_specification",
    "28P01": "invalid_password",
    "3D000": "invalid_catalog_name",
    "40001": "serialization_failure",
    "40P01": "deadlock_detected",
    "42501": "insufficient_privilege",
    "42601": "syntax_error",
    "42703": "undefined_column",
    "42883": "undefined_function",
    "42P01": "undefined_table",
    "42P07": "duplicate_table",
    "53100": "disk_full",
    "53200": "out_of_memory",
    "53300": "too_many_connections",
    "55P03": "lock_not_available",
    "57014": "query_canceled",
    "57P01": "admin_shutdown",
    "57P02": "crash_shutdown",
    "57P03": "cannot_connect_now",
    "57P05": "idle_session_timeout",
    "58030": "io_error",
    "XX000": "internal_error",
}
"""The frequent ones of the manual's "PostgreSQL Error Codes"; of others the code alone is shown."""
