"""What Alembic runs: env.py is its entry, versions holds the steps."""
