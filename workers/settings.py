"""Every setting of podcap, from the environment or a `.env` file, in one typed object.

The names are fixed (docs/settings.md is their table). A value that is missing or wrong is one
line that names it: `SettingsError` carries that line.
"""

import re
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import BeforeValidator, ByteSize, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from workers.broker import broker
from workers.request.since import since
from workers.settings_error import SettingsError

__all__ = ["FOREVER", "Settings", "SettingsError", "Span", "load"]

FOREVER = "forever"


def _span(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value.strip().lower() == FOREVER:
        return None
    span = since(value.strip())
    if span is None:
        raise ValueError(f"write a number and h, d or w, as in 30d, or {FOREVER}")
    return span


Span = Annotated[timedelta | None, BeforeValidator(_span)]
"""A time span as `30d`; None for `forever`."""


class Settings(BaseSettings):
    """The settings, read once; a field's alias is the name of its environment variable."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    slack_bot_token: SecretStr | None = Field(
        None, alias="SLACK_BOT_TOKEN", description="Bot token (`xoxb-…`) that podcap speaks to Slack with."
    )
    slack_signing_secret: SecretStr | None = Field(
        None,
        alias="SLACK_SIGNING_SECRET",
        description="Secret that proves a request over HTTP came from Slack. Not needed in Socket Mode.",
    )
    slack_app_token: SecretStr | None = Field(
        None,
        alias="SLACK_APP_TOKEN",
        description="App-level token (`xapp-…`). When it is set the bot uses Socket Mode instead of HTTP.",
    )
    slack_api_url: str = Field(
        "https://slack.com/api/", alias="SLACK_API_URL", description="Where Slack's Web API is."
    )
    port: int = Field(
        3000,
        alias="PORT",
        ge=0,
        le=65535,
        description="Port of the bot's HTTP server: `/slack/events`, `/healthz`, `/readyz`.",
    )
    kubeconfig: str | None = Field(
        None,
        alias="KUBECONFIG",
        description="Kubeconfig file of the cluster. Left out: the service account podcap runs with.",
    )
    broker_url: str = Field(
        "redis://localhost:6379/0",
        alias="PODCAP_BROKER_URL",
        description="Redis that carries the ids of captures to the workers.",
    )
    database_url: str = Field(
        "sqlite:///var/podcap.db",
        alias="PODCAP_DATABASE_URL",
        description="The ledger's database: `postgresql://…` or `sqlite:///…`.",
        repr=False,  # a password is in it
    )
    database_owner_url: str | None = Field(
        None,
        alias="PODCAP_DATABASE_OWNER_URL",
        description="The same database as the role that owns its tables; it migrates and grants.",
        repr=False,
    )
    audit_channel: str | None = Field(
        None,
        alias="PODCAP_AUDIT_CHANNEL",
        pattern="^[CG][A-Z0-9]+$",
        description="Id of a Slack channel that every entry of the audit trail is copied into.",
    )
    audit_log: bool = Field(
        False,
        alias="PODCAP_AUDIT_LOG",
        description="Whether every entry of the audit trail is also a line of JSON on standard error.",
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto",
        alias="PODCAP_LOG_FORMAT",
        description="`json` or `text`; `auto` is text at a terminal, else JSON.",
    )
    metrics_port: int | None = Field(
        None,
        alias="PODCAP_METRICS_PORT",
        ge=0,
        le=65535,
        description="Port at which worker and beat serve `/metrics`, `/healthz` and `/readyz`.",
    )
    otlp_endpoint: str | None = Field(
        None,
        alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="Base URL of a collector (OTLP over HTTP) that gets a trace of each capture.",
        repr=False,  # a password may be in it
    )
    store_url: str = Field(
        "var/captures",
        alias="PODCAP_STORE_URL",
        description="Where capture files are kept: a folder or any URL that fsspec knows.",
    )
    store_limit: ByteSize | None = Field(
        None,
        alias="PODCAP_STORE_LIMIT",
        gt=0,
        description="The most that the store may hold, such as `20GB`. Left out: as much as fits.",
    )
    keep_files: Span = Field(
        "30d",
        alias="PODCAP_KEEP_FILES",
        validate_default=True,
        description="How long a capture's file stays in the store: `30d`, `12h`, or `forever`.",
    )
    keep_captures: Span = Field(
        "400d",
        alias="PODCAP_KEEP_CAPTURES",
        validate_default=True,
        description="How long the ledger keeps a capture that has ended: `400d`, or `forever`.",
    )
    captures_per_user: int = Field(
        3, alias="PODCAP_CAPTURES_PER_USER", ge=1, description="Captures of one person at once."
    )
    captures_per_channel: int = Field(
        10, alias="PODCAP_CAPTURES_PER_CHANNEL", ge=1, description="Captures of one channel at once."
    )
    captures_per_node: int = Field(
        5, alias="PODCAP_CAPTURES_PER_NODE", ge=1, description="Captures on one node at once."
    )
    captures_per_cluster: int = Field(
        50, alias="PODCAP_CAPTURES_PER_CLUSTER", ge=1, description="Captures in one cluster at once."
    )
    waiting_per_user: int = Field(
        25,
        alias="PODCAP_WAITING_PER_USER",
        ge=1,
        description="Captures of one person that may wait for their turn; more are refused.",
    )
    ask_above: int = Field(
        10,
        alias="PODCAP_ASK_ABOVE",
        ge=1,
        description="Taps of one capture, pods and uplinks, above which podcap asks before it begins.",
    )
    most_taps: int = Field(
        100,
        alias="PODCAP_MOST_TAPS",
        ge=1,
        le=1000,
        description="Taps that one capture may have; a request for more is refused.",
    )
    agent_image: str | None = Field(
        None,
        alias="PODCAP_AGENT_IMAGE",
        description="Image of the agent pod: a POSIX sh, coreutils, util-linux, iproute2, tcpdump and perl.",
    )
    agent_namespace: str = Field(
        "podcap", alias="PODCAP_AGENT_NAMESPACE", description="Namespace in which agent pods are created."
    )
    policy: Path | None = Field(
        None, alias="PODCAP_POLICY", description="YAML file that says who may capture what. Left out: nobody."
    )

    @field_validator("slack_api_url")
    @classmethod
    def _ends_with_a_slash(cls, url: str) -> str:
        # slack_sdk joins base URL and method name without one.
        return url if url.endswith("/") else url + "/"

    @field_validator("broker_url")
    @classmethod
    def _is_redis(cls, url: str) -> str:
        if not url.startswith(("redis://", "rediss://", "unix://", "redis+socket://", "sentinel://")):
            raise ValueError("must be a redis:// URL")
        broker(url)
        return url

    def required(self, name: str) -> str:
        """The value of a setting that this process cannot do without.

        Args:
            name: The environment variable, for example `SLACK_BOT_TOKEN`.

        Raises:
            SettingsError: It is not set.
        """
        field = next(key for key, info in type(self).model_fields.items() if info.alias == name)
        value = getattr(self, field)
        if value is None:
            raise SettingsError(
                f"{name} is not set: {_first_sentence(type(self), field)} See docs/settings.md."
            )
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value)

    def secrets(self) -> tuple[str, ...]:
        """Every secret among the settings, also the passwords in URLs, as written and as meant."""
        tokens = (self.slack_bot_token, self.slack_signing_secret, self.slack_app_token)
        urls = (
            self.database_url,
            self.database_owner_url or "",
            self.broker_url,
            self.store_url,
            self.otlp_endpoint or "",
        )
        passwords = [password for url in urls for password in _PASSWORD.findall(url)]
        return (
            *(token.get_secret_value() for token in tokens if token is not None),
            *passwords,
            *map(unquote, passwords),
        )


# A broker's URL may be several, one behind the other.
_PASSWORD = re.compile(r"://[^/@\s:]*:([^/@\s]+)@")


def _first_sentence(model: type[BaseSettings], field: str) -> str:
    description = model.model_fields[field].description or ""
    return description.split(". ")[0].rstrip(".") + "."


@lru_cache(maxsize=1)
def load() -> Settings:
    """Reads the settings once for this process.

    Raises:
        SettingsError: A value cannot be understood.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = next(
            (
                info.alias
                for key, info in Settings.model_fields.items()
                if first["loc"][0] in {key, info.alias}
            ),
            first["loc"][0],
        )
        raise SettingsError(f"{name}: {first['msg']}. See docs/settings.md.") from None
