"""What is raised for a setting, by itself: `workers.settings` takes a fifth of a second to import."""


class SettingsError(Exception):
    """A setting is missing or wrong; the message is one line that names it and says what to do."""
