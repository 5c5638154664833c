"""What podcap does when Slack sends something; each module is one kind of thing Slack sends."""

from slack_bolt import App

from bot.afterwards import Afterwards
from bot.listeners.actions import register_actions
from bot.listeners.commands import register_commands
from workers.services import Services


def register(app: App, services: Services, afterwards: Afterwards) -> None:
    """Registers every listener."""
    register_commands(app, services, afterwards)
    register_actions(app, services, afterwards)
