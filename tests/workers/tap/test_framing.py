import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.tap.framing import Section, TornError, sections

NONCE = "0c9d4f"
names = st.from_regex(r"[a-z0-9./:]{1,20}", fullmatch=True).filter(lambda name: name != "end")


def framed(contents: dict[str, tuple[bytes, int]]) -> bytes:
    body = b"".join(
        content + f"\n@{NONCE} {name} {code}\n".encode() for name, (content, code) in contents.items()
    )
    return body + f"\n@{NONCE} end 0\n".encode()


@given(st.dictionaries(names, st.tuples(st.binary(max_size=200), st.integers(0, 255))))
def test_sections_of_any_content_come_back_as_they_were(contents: dict[str, tuple[bytes, int]]) -> None:
    assert sections(framed(contents), NONCE) == {
        name: Section(content.decode("utf-8", "replace"), code) for name, (content, code) in contents.items()
    }


@given(st.dictionaries(names, st.tuples(st.binary(max_size=50), st.integers(0, 255))), st.data())
def test_output_that_is_cut_anywhere_is_refused(
    contents: dict[str, tuple[bytes, int]], data: st.DataObject
) -> None:
    whole = framed(contents)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(TornError):
        sections(whole[:cut], NONCE)


@given(st.binary(max_size=500))
def test_garbage_is_refused_and_never_crashes(garbage: bytes) -> None:
    with pytest.raises(TornError):
        sections(garbage, NONCE)


def test_a_marker_with_another_nonce_is_content() -> None:
    content = b"\n@ffffff end 0\n@0c9d4f0 end 0\n"
    assert sections(framed({"links": (content, 0)}), NONCE)["links"].text == content.decode()
