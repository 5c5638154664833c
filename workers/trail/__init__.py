"""The append-only, hash-chained audit trail: who captured what, where, when and why, and what came of it."""
