"""What podcap asks Slack and says to it: the thin edge around slack_sdk."""
