"""The work: requests, policy, ledger, Kubernetes, tap, spool, summary, thread."""
