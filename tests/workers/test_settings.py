import re
from pathlib import Path

import pytest

from workers.settings import Settings, SettingsError, load

DOCS = Path(__file__).parents[2] / "docs/settings.md"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for info in Settings.model_fields.values():
        monkeypatch.delenv(str(info.alias), raising=False)
    monkeypatch.chdir(tmp_path)
    load.cache_clear()


def test_every_setting_is_in_the_table_and_the_table_has_no_other() -> None:
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", DOCS.read_text(), re.MULTILINE))
    assert documented == {info.alias for info in Settings.model_fields.values()}


def test_the_table_gives_the_true_defaults() -> None:
    rows = {
        match[1]: match[2].strip().strip("`")
        for match in re.finditer(r"^\| `([A-Z_]+)` \|([^|]*)\|", DOCS.read_text(), re.MULTILINE)
    }
    for info in Settings.model_fields.values():
        if info.default is not None:
            assert rows[str(info.alias)].lower() == str(info.default).lower()


@pytest.mark.parametrize("name", ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "PODCAP_AGENT_IMAGE"])
def test_a_missing_required_value_is_one_line_that_names_it(name: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name} is not set: [^\n]*$"):
        load().required(name)


def test_a_value_that_cannot_be_understood_is_one_line_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "eighty")
    with pytest.raises(SettingsError, match=r"^PORT: [^\n]*$"):
        load()


def test_a_broker_that_is_not_redis_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODCAP_BROKER_URL", "amqp://localhost")
    with pytest.raises(SettingsError, match=r"^PODCAP_BROKER_URL: [^\n]*redis"):
        load()


def test_a_dotenv_file_is_read_and_the_environment_goes_before_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PORT=4000\nPODCAP_AGENT_NAMESPACE=captures\nUNRELATED=1\n")
    monkeypatch.setenv("PORT", "5000")
    settings = load()
    assert (settings.port, settings.agent_namespace) == (5000, "captures")


def test_an_empty_value_counts_as_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_APP_TOKEN", "")
    assert load().slack_app_token is None


def test_tokens_do_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-planted")
    settings = load()
    assert "planted" not in repr(settings)
    assert settings.required("SLACK_BOT_TOKEN") == "xoxb-planted"


def test_an_api_url_without_its_last_slash_is_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_API_URL", "http://127.0.0.1:1/api")
    assert load().slack_api_url == "http://127.0.0.1:1/api/"
