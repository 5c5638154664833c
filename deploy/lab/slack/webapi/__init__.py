"""The methods of Slack's Web API; each module is one family."""
