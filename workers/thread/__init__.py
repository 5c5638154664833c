"""The Slack message of a capture and its thread."""
