"""A process of its own logs, because a process has one log."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.hangs import HANGS

SETTINGS = {
    "SLACK_BOT_TOKEN": "a token of no known form",
    "SLACK_SIGNING_SECRET": "0123456789abcdef",
    "PODCAP_DATABASE_URL": "postgresql://podcap:p%40ssw%2Frd@db.example/podcap",
    "PODCAP_BROKER_URL": "redis://:brokers-own@redis.example:6379/0",
}


def logged(code: str, **settings: str) -> list[str]:
    """The lines of a process that runs this."""
    done = subprocess.run(
        [sys.executable, "-c", f"from workers.logs import about, set_up_logs\nset_up_logs('worker')\n{code}"],
        env={"PATH": os.environ["PATH"]} | SETTINGS | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=HANGS,
    )
    return done.stderr.splitlines()


def objects(code: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in logged(code)]


def test_a_line_is_json_and_bears_the_capture_that_the_block_is_about() -> None:
    first, second, third = objects(
        "import logging\n"
        "with about('cap-7f3k9q'):\n"
        "    logging.getLogger('workers.work').info('tapping %s', 'é')\n"
        "    with about('cap-2b4d6f'):\n"
        "        logging.getLogger('some.library').warning('retried')\n"
        "logging.getLogger('bot').info('idle')"
    )
    assert first.pop("time").endswith("Z")
    assert first == {
        "level": "INFO",
        "process": "worker",
        "logger": "workers.work",
        "message": "tapping é",
        "capture": "cap-7f3k9q",
    }
    assert (second["capture"], second["logger"]) == ("cap-2b4d6f", "some.library")
    assert "capture" not in third


def test_celerys_lines_about_a_captures_task_bear_its_id() -> None:
    (line,) = objects(
        "import logging\n"
        "logging.getLogger('celery.app.trace').info('Task %(name)s[%(id)s] succeeded',\n"
        "    {'name': 'podcap.run_capture', 'id': 'cap-7f3k9q'}, extra={'data': {'id': 'cap-7f3k9q'}})"
    )
    assert line["capture"] == "cap-7f3k9q"


def test_an_exception_and_a_threads_death_are_one_line_each() -> None:
    caught, died, warned = objects(
        "import logging, threading, warnings\n"
        "with about('cap-7f3k9q'):\n"
        "    try:\n        1 / 0\n    except ZeroDivisionError:\n        logging.exception('broken')\n"
        "thread = threading.Thread(target=lambda: int('x'), name='heart')\n"
        "thread.start(); thread.join()\n"
        "warnings.warn('old')"
    )
    assert "ZeroDivisionError" in caught["exception"]
    assert caught["capture"] == "cap-7f3k9q"
    assert died["message"] == "the thread heart died"
    assert "ValueError" in died["exception"]
    assert "old" in warned["message"]


def test_no_line_holds_a_secret_of_the_settings() -> None:
    secrets = [*SETTINGS.values(), "p%40ssw%2Frd", "p@ssw/rd", "brokers-own"]
    lines = logged(
        "import logging, os\n"
        f"for secret in {secrets!r}:\n"
        "    logging.info('planted: %s', secret)\n"
        "    logging.info('planted: %r', {'Authorization': 'Bearer ' + secret})\n"
        "    try:\n        raise RuntimeError(secret)\n"
        "    except RuntimeError:\n        logging.exception('planted')"
    )
    assert len(lines) == 3 * len(secrets)
    for secret in ("a token of no known form", "0123456789abcdef", "p%40ssw%2Frd", "p@ssw/rd", "brokers-own"):
        assert not [line for line in lines if secret in line]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_setting_chooses_plain_text(form: str) -> None:
    (line,) = logged(
        "import logging\nwith about('cap-7f3k9q'):\n    logging.info('tapping')", PODCAP_LOG_FORMAT=form
    )
    assert line.startswith("{") is (form == "json")
    assert "cap-7f3k9q" in line
    assert "tapping" in line
