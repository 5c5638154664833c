from hypothesis import given
from hypothesis import strategies as st

from bot.terminal.words import first_line, in_lines, in_the_terminal
from workers.request.quoting import inert


@given(st.text())
def test_whatever_comes_in_nothing_that_acts_on_a_terminal_goes_out(text: str) -> None:
    assert in_the_terminal(text).isprintable()


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="&`/"), max_size=70))
def test_what_was_made_harmless_for_slack_reads_as_it_was(text: str) -> None:
    assert in_the_terminal(inert(text)) == text


def test_links_and_operators_read_as_they_were() -> None:
    assert in_the_terminal(inert("http://x.io & tcp[13] < 4")) == "http://x.io & tcp[13] < 4"


def test_the_command_is_the_one_that_is_typed_here() -> None:
    assert in_the_terminal("write `/podcap traefik/x 30s`.") == "write `podcap capture traefik/x 30s`."
    assert in_the_terminal("`/podcap help` tells") == "`podcap capture --help` tells"
    assert in_the_terminal("`/podcap podcap/podcap 30s`") == "`podcap capture podcap/podcap 30s`"


def test_a_refusal_is_its_sentence_without_the_example() -> None:
    assert first_line("No: ask.\n```\nrules:\n```") == "No: ask."


@given(st.text())
def test_several_lines_hold_nothing_that_acts_either(text: str) -> None:
    assert all(line.isprintable() for line in in_lines(text).split("\n"))
