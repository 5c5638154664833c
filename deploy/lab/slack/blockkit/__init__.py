"""Block Kit's rules: what Slack refuses in `blocks` (Slack's Block Kit reference). Pure."""
