"""A strict stand-in for Slack on loopback: its Web API, its requests to an app, a small workspace.

It refuses what Slack refuses, with Slack's own error codes (Slack's method reference), and keeps a list of
what a caller did that Slack would tolerate and a reviewer would not. Nothing here is known to podcap: a
setting, SLACK_API_URL, is all that tells it from Slack.
"""
