"""The conversation: Slack listeners and terminal commands, nothing else."""
