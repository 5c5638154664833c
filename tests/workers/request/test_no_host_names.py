"""No filter that is let through can make libpcap look for a host.

`localhost` stands for any host: libpcap finds it in a file, without a name server, and compiles it wherever
it looks for hosts. So a filter with this name that compiles and was let through would be a hole.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.hangs import HANGS
from workers.request.compiler import compile_any
from workers.request.filter_tokens import foreign_name, tokens

JOINTS = st.sampled_from([" and ", " or ", " && ", " || "])


def joined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(parts, JOINTS, parts).map("".join)


def operands(*values: str) -> st.SearchStrategy[str]:
    return st.recursive(
        st.sampled_from(["localhost", *values]),
        lambda inner: inner.map("not {}".format) | joined(inner).map("({})".format),
        max_leaves=3,
    )


def conditions(heads: list[str], *values: str) -> st.SearchStrategy[str]:
    return st.tuples(st.sampled_from(heads), operands(*values)).map(" ".join)


OPERANDS = operands("80", "10.1.2.3")
CONDITIONS = (
    conditions(["host", "src", "dst", "src host", "net", "ip host"], "10.1.2.3")
    | conditions(["port", "tcp port", "udp dst port", "src or dst port", "portrange"], "80", "http")
    | conditions(["ip proto", "proto", "ip protochain"], "6", "\\tcp", "ospf")
    | st.sampled_from(["tcp", "len > 5", "ip[0] = 4", "llc u"])
)
EXPRESSIONS = st.recursive(
    CONDITIONS,
    lambda inner: (
        inner.map("not {}".format)
        | inner.map("({})".format)
        | joined(inner)
        | st.tuples(inner, JOINTS, OPERANDS).map("".join)
    ),
    max_leaves=5,
)


# What stands behind parentheses has the qualifiers of what stands before them.
AROUND = st.tuples(CONDITIONS, JOINTS, EXPRESSIONS.map("({})".format), JOINTS, OPERANDS).map("".join)


def test_libpcap_takes_the_name_that_stands_for_any_host() -> None:
    assert compile_any("EN10MB", [("host localhost", [""])], seconds=HANGS, optimize=False).group == 0
    after_parentheses = "host 10.1.2.3 or (port 80) and localhost"
    assert compile_any("EN10MB", [(after_parentheses, [""])], seconds=HANGS, optimize=False).group == 0


@settings(max_examples=examples(6))
@given(st.lists(EXPRESSIONS | AROUND, min_size=20, max_size=60))
def test_a_filter_with_a_host_name_is_not_let_through_or_does_not_compile(filters: list[str]) -> None:
    let_through = [text for text in filters if "localhost" in text and foreign_name(tokens(text)) is None]
    tried = [(text, [""]) for text in let_through]
    found = compile_any("EN10MB", tried, seconds=HANGS, optimize=False)
    assert found.group is None, let_through[found.group]
