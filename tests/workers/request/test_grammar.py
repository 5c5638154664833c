# ruff: noqa: RUF001, look-alikes of plain signs are what Slack's editor sends
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workers.request.filter_tokens import stray_character
from workers.request.grammar import Help, UsageError, parse
from workers.request.request import DEFAULT_CLUSTER, Request, Target, TargetKind, named, render
from workers.request.slack_text import plain
from workers.request.target import is_selector
from workers.request.targets import in_short, read_targets

DOCS = Path(__file__).parents[3] / "docs/request.md"
POD = "traefik/cheddar-845749dbd6-zcdjm"
TARGET = Target("default", TargetKind.POD, "traefik", "cheddar-845749dbd6-zcdjm")


def pod(namespace: str, name: str, cluster: str = "default") -> Target:
    return Target(cluster, TargetKind.POD, namespace, name)


def said(text: str) -> str:
    with pytest.raises(UsageError) as refused:
        parse(plain(text))
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        (POD, Request((TARGET,), 30, "", full=False)),
        (f"  {POD}  ", Request((TARGET,), 30, "", full=False)),
        (f"{POD} 5m", Request((TARGET,), 300, "", full=False)),
        (f"{POD} 1M30S Port", Request((TARGET,), 90, "Port", full=False)),
        (f"{POD} port 80", Request((TARGET,), 30, "port 80", full=False)),
        (f"{POD}  30s   port   80 ", Request((TARGET,), 30, "port 80", full=False)),
        (f"{POD} full", Request((TARGET,), 30, "", full=True)),
        (f"{POD} full 1m port 80", Request((TARGET,), 60, "port 80", full=True)),
        (f"{POD} 1m Full port 80", Request((TARGET,), 60, "port 80", full=True)),
        (f"{POD} 6 = ip[9]", Request((TARGET,), 30, "6 = ip[9]", full=False)),
        (f"{POD} pcap", Request((TARGET,), 30, "", full=False, pcap=True)),
        (f"{POD} full PCAP 1m port 80", Request((TARGET,), 60, "port 80", full=True, pcap=True)),
        (f"{POD} 10m", Request((TARGET,), 600, "", full=False)),
        (f"default:{POD}", Request((TARGET,), 30, "", full=False)),
    ],
)
def test_a_request_is_read(text: str, request_: Request) -> None:
    assert parse(text) == request_


@pytest.mark.parametrize(
    "text",
    [
        f"{POD} “tcp[13] &amp; 4 != 0”",
        f"“{POD} tcp[13] &amp; 4 != 0”",
        f"`{POD} tcp[13] &amp; 4 != 0`",
        f"`{POD}` ‘tcp[13]\u00a0&amp; 4 != 0’",
        f"“{POD}” 30s tcp[13] &amp; 4 != 0",
    ],
)
def test_what_slacks_editor_makes_of_a_request_is_understood(text: str) -> None:
    assert parse(plain(text)) == Request((TARGET,), 30, "tcp[13] & 4 != 0", full=False)


@pytest.mark.parametrize("text", ["help", "HELP", " help ", "--help", "-h", "?"])
def test_help_is_help(text: str) -> None:
    assert parse(text) == Help()


@pytest.mark.parametrize("text", ["", "   ", "30s", "30s port 80", "port 80", "-n traefik cheddar", "''"])
def test_without_a_target_the_sentence_asks_for_the_pod(text: str) -> None:
    assert said(text).startswith("Say which pod")


def test_a_namespace_without_a_pod_is_told_where_the_pod_goes() -> None:
    assert "`/podcap traefik/POD`" in said("traefik/")


def test_a_pod_without_a_namespace_is_told_where_the_namespace_goes() -> None:
    assert "`/podcap NAMESPACE/cheddar`" in said("/cheddar")
    assert "`/podcap NAMESPACE/cheddar`" in said("cheddar 30s")


@pytest.mark.parametrize(
    ("text", "kind", "namespace", "name"),
    [
        ("ns/deploy/web", TargetKind.DEPLOYMENT, "ns", "web"),
        ("ns/deployments.apps/web", TargetKind.DEPLOYMENT, "ns", "web"),
        ("ns/StatefulSet/web", TargetKind.STATEFULSET, "ns", "web"),
        ("ns/sts/web", TargetKind.STATEFULSET, "ns", "web"),
        ("ns/ds/web", TargetKind.DAEMONSET, "ns", "web"),
        ("ns/replicasets/web", TargetKind.REPLICASET, "ns", "web"),
        ("ns/job/web", TargetKind.JOB, "ns", "web"),
        ("ns/services/web", TargetKind.SERVICE, "ns", "web"),
        ("ns/pod/web", TargetKind.POD, "ns", "web"),
        ("ns/po/web", TargetKind.POD, "ns", "web"),
        ("ns/app=web", TargetKind.LABELS, "ns", "app=web"),
        ("ns/app=cheese,tier!=db,!old,new", TargetKind.LABELS, "ns", "app=cheese,tier!=db,!old,new"),
        (
            "ns/app.kubernetes.io/name==web,a.b/c=",
            TargetKind.LABELS,
            "ns",
            "app.kubernetes.io/name==web,a.b/c=",
        ),
        ("ns/deploy/x=y", TargetKind.LABELS, "ns", "deploy/x=y"),
        ("node/k8s-node01", TargetKind.NODE, "", "k8s-node01"),
    ],
)
def test_every_kind_of_target_is_read(text: str, kind: TargetKind, namespace: str, name: str) -> None:
    assert parse(f"{text} 30s port 80") == Request(
        (Target("default", kind, namespace, name),), 30, "port 80", full=False
    )


@pytest.mark.parametrize(
    "text",
    [
        "ns/x ns/deploy/y node/n tcp",
        "ns/x,ns/deploy/y,node/n tcp",
        "ns/x, ns/deploy/y , node/n tcp",
        "ns/x ns/deploy/y ns/x default:node/n 30s tcp",
        "\"ns/x\" 'ns/deploy/y' node/n tcp",
    ],
)
def test_several_targets_are_separated_by_spaces_or_commas_and_each_is_meant_once(text: str) -> None:
    targets = (pod("ns", "x"), Target("default", TargetKind.DEPLOYMENT, "ns", "y"))
    node = Target("default", TargetKind.NODE, "", "n")
    assert parse(text) == Request((*targets, node), 30, "tcp", full=False)


def test_a_comma_in_a_selector_belongs_to_it_until_a_target_follows() -> None:
    targets = parse("ns/a=b,c!=d,!i,j,e.f/g=h,other/x,ns/y 5s")
    assert isinstance(targets, Request)
    assert [one.behind_the_slash for one in targets.targets] == ["a=b,c!=d,!i,j,e.f/g=h", "x", "y"]


@pytest.mark.parametrize(
    "text", ["a/b -&gt; c/svc/d tcp", "a/b->c/svc/d tcp", "a/b → c/svc/d tcp", "a/b ->c/svc/d tcp"]
)
def test_two_ends_are_joined_by_an_arrow(text: str) -> None:
    service = Target("default", TargetKind.SERVICE, "c", "d")
    assert parse(plain(text)) == Request((pod("a", "b"), service), 30, "tcp", full=False, ends=True)


@pytest.mark.parametrize(
    "typed", ["net 10.0.0.0/8", "10.0.0.0/8", "src net 10.0.0.0/8", "10/8", "len/2 = 40", "host 10.0.0.1"]
)
def test_a_slash_in_a_filter_makes_no_target(typed: str) -> None:
    assert parse(f"ns/x ns/y {typed}") == Request((pod("ns", "x"), pod("ns", "y")), 30, typed, full=False)


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("ns/cronjob/web", "no kind `cronjob`: write `/podcap ns/deploy/web`, or one of"),
        ("ns/deploy/", "`/podcap ns/deploy/NAME`"),
        ("ns/Deploy/Web", "`/podcap ns/deploy/web`"),
        ("ns/deploy/we_b", "`we_b` cannot be a name"),
        ("ns/a=b=c", "cannot be read as labels"),
        ("ns/a=b, c=d", "Say which pod"),
        ("node/", "`kubectl get nodes` lists them"),
        ("node/N1", "`/podcap node/n1`"),
        ("node/n_1", "`n_1` cannot be a node"),
        ("a/b -&gt;", "`/podcap a/b -&gt; NAMESPACE/POD`"),
        ("-&gt; a/b", "stands between two ends"),
        ("a/b -&gt; a/b", "stands between two ends"),
        ("a/b -&gt; c/d e/f", "stands between two ends"),
        ("a/b 30s c/d", "write `/podcap a/b c/d 30s`"),
        (" ".join(f"ns/x{number}" for number in range(21)), "name at most 20"),
    ],
)
def test_targets_that_cannot_be_are_told_what_to_type_instead(text: str, instead: str) -> None:
    assert instead in said(text)


def test_a_request_is_made_in_one_cluster() -> None:
    clusters = ("default", "prod")
    both = parse("prod:a/b c/d", clusters=clusters)
    assert both == Request((pod("a", "b", "prod"), pod("c", "d", "prod")), 30, "", full=False)
    assert isinstance(both, Request)
    assert read_targets(named(*both.targets), "prod") == (both.targets, False)
    with pytest.raises(UsageError, match="one cluster, and this begins in `default`"):
        parse("a/b prod:c/d", clusters=clusters)


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("shop/web-0", "shop/web-0"),
        ("prod:shop/web-0 shop/svc/db", "shop/web-0, shop/svc/db"),
        ("shop/web-0 -> node/n1", "shop/web-0 -> node/n1"),
        (
            " ".join(f"a/b-{number}" for number in range(9)),
            "a/b-0, a/b-1, a/b-2, a/b-3, a/b-4 and 4 more",
        ),
        ("what an older podcap wrote", "what an older podcap wrote"),
    ],
)
def test_targets_are_named_in_short(text: str, short: str) -> None:
    assert in_short(text, "prod" if text.startswith("prod") else DEFAULT_CLUSTER) == short


def test_a_namespace_named_like_a_kind_is_a_namespace() -> None:
    assert parse("deploy/web") == Request((pod("deploy", "web"),), 30, "", full=False)


@pytest.mark.parametrize(
    "word",
    [
        *("Ns/..", "../../etc/passwd", "n s/x;y", "ns/-x", "ns/x-", "ns/x_y", "ns/x..y", "-ns/x", "ns./x"),
        *(
            "a" * 64 + "/x",
            "ns/" + "a" * 254,
            "ns/x/y/z",
            "ns/*",
            "ns/$HOME",
            "ns/$(id)",
            "ns/x|y",
        ),
        *("ns/x&y", "ns/x>y", "ns/:boom:", ":boom:/x", "x" * 10_000, "ns/" + "x" * 10_000, "/" * 10_000),
    ],
)
def test_a_word_that_names_no_pod_is_refused(word: str) -> None:
    assert said(word)


def test_names_as_long_as_kubernetes_allows_are_read() -> None:
    name = "a" * 253
    assert parse("n" * 63 + "/" + name) == Request((pod("n" * 63, name),), 30, "", full=False)


def test_capitals_are_answered_with_the_lower_case_name() -> None:
    assert "`/podcap traefik/cheddar`" in said("Traefik/Cheddar")
    assert "`/podcap traefik/cheddar`" in said("traefik/Cheddar")


def test_a_known_cluster_may_stand_in_front_and_an_unknown_one_is_named() -> None:
    clusters = ("default", "prod-eu")
    assert parse("prod-eu:ns/x", clusters=clusters) == Request(
        (pod("ns", "x", "prod-eu"),), 30, "", full=False
    )
    with pytest.raises(UsageError, match=r"no cluster `staging`.*`default`, `prod-eu`"):
        parse("staging:ns/x", clusters=clusters)


def test_without_a_cluster_named_default_the_first_is_meant() -> None:
    assert parse("ns/x", clusters=("prod", "dev")) == Request((pod("ns", "x", "prod"),), 30, "", full=False)


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("0s", "at least one second"),
        ("0", "at least one second"),
        ("0m0s", "at least one second"),
        ("-5s", "at least one second"),
        ("–5s", "at least one second"),
        ("-5", "at least one second"),
        ("99h", "at most 10m"),
        ("10m1s", "at most 10m"),
        ("9" * 90 + "s", "at most 10m"),
        ("1.5s", "whole hours, minutes and seconds"),
        ("30sec", "whole hours, minutes and seconds"),
        ("500ms", "whole hours, minutes and seconds"),
        ("2d", "whole hours, minutes and seconds"),
        ("9" * 200 + "s", "whole hours, minutes and seconds"),
        ("90", "needs a unit"),
        ("30s 5m", "One duration is enough"),
        ("30s full 5m", "One duration is enough"),
    ],
)
def test_a_duration_that_cannot_be_is_answered_with_one_that_can(word: str, sentence: str) -> None:
    assert sentence in said(f"ns/x {word} port 80")


def test_the_limits_of_the_duration_are_the_callers() -> None:
    assert parse("ns/x", default_seconds=5) == Request((pod("ns", "x"),), 5, "", full=False)
    assert parse("ns/x 1h", max_seconds=3600) == Request((pod("ns", "x"),), 3600, "", full=False)


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("ns/x port 80 30s", "write `/podcap ns/x 30s port 80`"),
        ("ns/x port 80 full", "write `/podcap ns/x full port 80`"),
        ("ns/x port 80 pcap", "write `/podcap ns/x pcap port 80`"),
    ],
)
def test_what_stands_behind_the_filter_is_put_before_it(text: str, instead: str) -> None:
    assert instead in said(text)


@pytest.mark.parametrize("text", ["-w /tmp/x", "-i any", "--help", "- 1 = 0", "—version", "'-w x'"])
def test_a_filter_that_begins_with_a_hyphen_is_no_option(text: str) -> None:
    assert "cannot begin with `-`" in said(f"ns/x 30s {text}")


@pytest.mark.parametrize("sign", [*";$`{}~#?@,'\""])
def test_signs_of_a_shell_that_no_filter_has_are_refused(sign: str) -> None:
    assert "no shell reads this" in said(f"ns/x port 80 {sign} reboot")


@pytest.mark.parametrize("text", ["💥", "é", "port 8০", "port 80 👩‍🚒", ":boom:", "port 80 :+1:"])
def test_emoji_and_foreign_letters_are_asked_to_be_taken_out(text: str) -> None:
    assert said(f"ns/x {text}").startswith("Take out")


@pytest.mark.parametrize("text", ["ns/x\nport 80", "ns/x port\t80", "ns/x \x00", "ns/x \x1b[31m", "ns/x\x7f"])
def test_control_characters_are_refused(text: str) -> None:
    assert "one line" in said(text)


def test_a_filter_of_a_thousand_characters_is_read_and_one_more_is_refused() -> None:
    longest = ("tcp and " * 125)[:-1] + "x"
    assert len(longest) == 1000
    assert parse(f"ns/x {longest}") == Request((pod("ns", "x"),), 30, longest, full=False)
    assert "at most 1,000" in said(f"ns/x {longest}x")
    assert "at most 1,000" in said("ns/x " + "tcp and " * 1250)


@given(st.text())
@example("ns/x " + "9" * 5000)
@example("ns/x " + "9" * 5000 + "s")
@example("help me")
def test_any_text_is_a_request_help_or_one_sentence(text: str) -> None:
    check_any(text)


WORDS = st.sampled_from(
    [
        *(
            "ns/x",
            "default:ns/x",
            "ns/",
            "/x",
            "30s",
            "full",
            "90",
            "-5s",
            "port",
            "80",
            "and",
            "(",
            ")",
            "&",
            "|",
        ),
        *(
            '"',
            "'",
            "`",
            "$",
            ";",
            "💥",
            ":boom:",
            "\n",
            "<!channel>",
            "&lt;",
            "-w",
            "=",
            "ns/deploy/x",
            "ns/a=b,c!=d",
            "a/b,c/d,",
            "->",
            "a/b->node/n",
            ",",
            "99h",
        ),
    ]
)


@given(st.lists(WORDS, max_size=8).map(" ".join))
def test_any_mixture_of_familiar_words_is_a_request_help_or_one_sentence(text: str) -> None:
    check_any(text)


def check_any(text: str) -> None:
    try:
        understood = parse(plain(text))
    except UsageError as error:
        sentence = str(error)
        assert "\n" not in sentence
        assert len(sentence) < 1500
        assert sentence.endswith(".")
        assert not re.search(r"<|>|&(?!amp;|lt;|gt;)", sentence), "no markup of Slack's can come through"
        assert sentence.count("`") % 2 == 0
    else:
        if isinstance(understood, Request):
            assert 0 < understood.seconds <= 600
            assert len(understood.filter) <= 1000
            assert stray_character(understood.filter) is None
            assert parse(render(understood)) == understood


LABEL = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
FILTER = (
    st.text("abcport 0123456789sfull.:/()[]!<>=&|+*%^_\\-", max_size=60)
    .map(lambda text: " ".join(text.split()))
    .filter(lambda text: not text.startswith("-"))
)


KEY = st.one_of(LABEL, LABEL.map(lambda name: f"example.com/{name}"))
REQUIREMENT = st.one_of(
    st.tuples(KEY, st.sampled_from(["=", "==", "!="]), LABEL).map("".join),
    KEY.map(lambda key: f"!{key}"),
    KEY,
)
SELECTOR = st.lists(REQUIREMENT, min_size=1, max_size=3).map(",".join).filter(is_selector)
KINDS = [kind for kind in TargetKind if kind not in (TargetKind.LABELS, TargetKind.NODE)]


def some_targets(cluster: str) -> st.SearchStrategy[Target]:
    namespace = LABEL.filter(lambda name: name != "node")
    return st.one_of(
        st.builds(Target, st.just(cluster), st.sampled_from(KINDS), namespace, LABEL),
        st.builds(Target, st.just(cluster), st.just(TargetKind.LABELS), namespace, SELECTOR),
        st.builds(Target, st.just(cluster), st.just(TargetKind.NODE), st.just(""), LABEL),
    )


TARGETS = st.sampled_from(["default", "prod-eu"]).flatmap(
    lambda cluster: st.lists(some_targets(cluster), min_size=1, max_size=4, unique=True).map(tuple)
)


@given(
    st.builds(
        Request,
        targets=TARGETS,
        seconds=st.integers(1, 600),
        filter=FILTER,
        full=st.booleans(),
        pcap=st.booleans(),
    ),
    st.booleans(),
)
@example(Request((pod("ns", "x"),), 30, "full", full=False), False)
@example(Request((pod("ns", "x"),), 30, "host pcap", full=False, pcap=True), False)
@example(Request((pod("ns", "x"),), 30, "port 80 30s", full=True), False)
@example(Request((pod("ns", "x"),), 30, "5 port", full=False), False)
@example(Request((pod("ns", "x"), pod("10", "8"), pod("len", "2")), 30, "a/b", full=False), False)
def test_a_rendered_request_is_read_as_itself(request_: Request, ends: bool) -> None:
    request_ = replace(request_, ends=ends and len(request_.targets) == 2)
    assert parse(render(request_), clusters=("default", "prod-eu")) == request_
    typed = named(*request_.targets, ends=request_.ends)
    assert read_targets(typed, request_.first.cluster) == (request_.targets, request_.ends)


def test_every_sentence_in_the_documentation_is_the_one_that_is_said() -> None:
    rows = re.findall(r"^\| `` ?(.+?) ?`` \| (.+) \|$", DOCS.read_text(), re.MULTILINE)
    assert len(rows) > 10
    for typed, sentence in rows:
        assert said(typed).replace("|", "\\|").replace("&gt;", ">") == sentence, typed
