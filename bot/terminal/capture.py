"""`podcap capture TARGET [DURATION] [FILTER…]`: the engine of Slack, without Slack and without Redis."""

import argparse
import logging
import secrets
import signal
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from bot.terminal.abandoned import end_abandoned
from bot.terminal.command import CommandError, Commands, UsageProblem
from bot.terminal.identity import Identity, identify
from bot.terminal.interrupt import Interrupt
from bot.terminal.live import LiveOutput
from bot.terminal.output_file import OutputError, check_output
from bot.terminal.page_and_picture import add_options, check_options, write_both
from bot.terminal.place import TerminalPlace, at_the_terminal
from bot.terminal.progress_line import ProgressLine
from bot.terminal.report import TerminalReport
from bot.terminal.turn import wait_for_turn
from bot.terminal.words import in_lines, in_the_terminal
from workers.admission import accept, stop
from workers.agent import agent
from workers.capture import run
from workers.cluster.cluster import connect
from workers.cluster.errors import ClusterError
from workers.heart import WORKER
from workers.ledger.capture import TERMINAL, Capture, Order
from workers.ledger.ledger import Ledger
from workers.ledger.states import IllegalMoveError, Maker, State
from workers.ledger.tap_record import TapRecord
from workers.place import NotHereError
from workers.policy.rules import Policy
from workers.request.capture_filter import AND_OR_HINT, CompilerError, FilterError, check, mixes_and_or
from workers.request.duration import shown
from workers.request.grammar import Help, UsageError, parse
from workers.request.request import Request, named
from workers.services import Services, open_ledger, open_policy
from workers.settings import Settings, load
from workers.thread.preview import on_each_node, preview

_STANDARD_OUTPUT = "-"
_ENDS = "→"
"""As `->`, which would be an option."""
_SECOND = "It was ended by a second Ctrl-C: nothing was kept."
_SECOND_OF_A_STREAM = "It was ended by a second Ctrl-C: what was streamed until then is all there is."


def register(commands: Commands) -> None:
    """Adds the command. Its words are parsed apart: options may stand anywhere between them."""
    whole = commands.add_parser(
        "capture", help="capture packets of pods or a node into a file", add_help=False, prefix_chars="\0"
    )
    whole.add_argument("words", nargs="*")
    whole.set_defaults(run=_run)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="podcap capture",
        usage="%(prog)s [CLUSTER:]TARGET… [DURATION] [full] [pcap] [FILTER…] [-o FILE] "
        "[--html OUT] [--picture OUT] [--force] [--yes] [--explain]",
        description="Captures pods' packets into a file. Ctrl-C stops and keeps what was captured. "
        "A TARGET is NAMESPACE/POD, NAMESPACE/deploy/NAME (sts, ds, rs, job, svc likewise), "
        "NAMESPACE/LABEL=VALUE or node/NAME.",
        epilog="Filters are those of tcpdump (pcap-filter), with addresses instead of host names. "
        "See docs/terminal.md.",
    )
    parser.add_argument("words", nargs="*", metavar="WORD", help="as after /podcap in Slack")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="- for standard output; left out: a name made of capture, namespace and pod, in this folder",
    )
    add_options(parser, taken=True)
    parser.add_argument("--force", action="store_true", help="replace files that are there")
    parser.add_argument("--full", action="store_true", help="whole packets, where the policy allows it")
    parser.add_argument("--pcap", action="store_true", help="a plain pcap file, as `-o NAME.pcap` is")
    parser.add_argument(
        "--yes", action="store_true", help="capture so many pods without being asked (PODCAP_ASK_ABOVE)"
    )
    parser.add_argument("--explain", action="store_true", help="say first how the interface was found")
    return parser


def _run(options: argparse.Namespace) -> int:
    words = _parser()
    asked = words.parse_intermixed_args([_ENDS if word == "->" else word for word in options.words])
    request = _request(asked)
    if request is None:
        words.print_help()
        return 0
    _check_output(asked, request)
    check_options(asked, Path(asked.output) if asked.output else None, taken=True)
    settings = at_the_terminal(load())
    settings.required("PODCAP_AGENT_IMAGE")
    return _Session(settings, request, asked).run()


def _request(asked: argparse.Namespace) -> Request | None:
    """What was asked for; None for help."""
    try:
        request = parse(" ".join(asked.words))
        if isinstance(request, Help):
            return None
        if request.filter:
            check(request.filter)
    except (UsageError, FilterError, CompilerError) as error:
        raise UsageProblem(in_lines(str(error))) from error
    if mixes_and_or(request.filter):
        print(f"podcap: {in_the_terminal(AND_OR_HINT)}", file=sys.stderr)
    plain = request.pcap or asked.pcap or _asks_for_pcap(asked.output)
    return replace(request, full=request.full or asked.full, pcap=plain)


def _asks_for_pcap(output: str | None) -> bool:
    """What is read while it arrives is plain pcap, as tcpdump writes it, and so is a file of that name."""
    return output is not None and (output == _STANDARD_OUTPUT or Path(output).suffix.lower() == ".pcap")


def _check_output(asked: argparse.Namespace, request: Request) -> None:
    if asked.output is None:
        return
    if request.pcap and Path(asked.output).suffix.lower() == ".pcapng":
        raise UsageProblem(
            f"{in_the_terminal(asked.output)} would be a plain pcap file: name it .pcap, or leave `pcap` out."
        )
    if not request.is_one_pod and _asks_for_pcap(asked.output):
        raise UsageProblem(
            "Only one pod's packets are plain pcap, and are read while they arrive: "
            "name one pod, or a file as in `-o FILE.pcapng`."
        )
    if asked.output == _STANDARD_OUTPUT:
        if sys.stdout.isatty():
            raise UsageProblem(
                "Packets are not written to a terminal: pipe them, as in "
                "`podcap capture … -o - | wireshark -k -i -`."
            )
        return
    try:
        check_output(Path(asked.output), force=asked.force)
    except OutputError as error:
        raise UsageProblem(in_the_terminal(str(error))) from error


class _Session:
    """One capture from its request to its end."""

    def __init__(self, settings: Settings, request: Request, asked: argparse.Namespace) -> None:
        self._settings = settings
        self._request = request
        self._asked = asked
        self._line = ProgressLine(sys.stderr)
        self._yes = bool(asked.yes)
        live = asked.output == _STANDARD_OUTPUT
        self._interrupt = Interrupt()
        self._live = (
            LiveOutput(full=request.full, seconds=request.seconds, gone=self._interrupt.ask) if live else None
        )
        self._report = TerminalReport(
            self._line,
            file=Path(asked.output) if asked.output and not live else None,
            force=asked.force,
            explain=asked.explain,
            live=self._live,
        )
        _log_to(self._line)

    def run(self) -> int:
        """Makes the capture; the exit code."""
        with closing(open_ledger(self._settings)) as ledger:
            return self._run(ledger, open_policy(self._settings))

    def _run(self, ledger: Ledger, policy: Policy) -> int:
        try:
            with connect(self._settings.kubeconfig) as cluster:
                identity = identify(cluster, self._settings.kubeconfig)
                end_abandoned(ledger, cluster, self._settings.agent_namespace)
        except ClusterError as error:
            raise CommandError(in_the_terminal(str(error))) from error
        place = TerminalPlace(identity, self._report, self._ask)
        self._services = Services(self._settings, ledger, policy, store=None, place=place)
        capture: Capture | None = None
        try:
            with self._interrupt.listening():
                capture, _ = ledger.request(_order(self._request, identity))
                self._make(capture, identity)
        except KeyboardInterrupt:
            if capture is None:
                raise
            self._give_up(capture)
        else:
            if self._live is not None:
                self._live.finish()
        return self._told(capture)

    def _ask(self, taps: Sequence[TapRecord]) -> bool:
        """Whether so many are meant: `--yes`, or what is typed.

        Raises:
            NotHereError: Nobody is there to be asked.
        """
        if self._yes:
            return True
        if not sys.stdin.isatty():
            raise NotHereError(f"These are {preview(taps)}: add --yes to capture all of them.")
        self._line.say(in_the_terminal(f"These are {preview(taps)}:"))
        for line in on_each_node(taps):
            self._line.say(in_the_terminal(f"  {line}"))
        print("Capture all of them? [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    def _make(self, capture: Capture, identity: Identity) -> None:
        self._interrupt.then(lambda: stop(self._services, capture.id, user_id=identity.shown))
        self._line.say(_introduced(capture))
        if self._live is not None:
            # However it ends: what is streamed has left podcap's hands packet by packet.
            where = {"where": "standard output"}
            self._services.ledger.record(capture.id, "streaming", by=identity.shown, facts=where)
        queued = accept(self._services, capture)
        if queued is not None and wait_for_turn(self._services, queued, self._line.passing):
            run(self._services, capture.id)

    def _told(self, capture: Capture) -> int:
        """What was found is said; the exit code."""
        self._line.end()
        for line in self._report.summary:
            print(line, file=sys.stderr if self._live else sys.stdout)
        if self._report.found is not None:
            write_both(self._asked, self._report.found, capture.what, self._line.say)
        capture = self._services.ledger.get(capture.id)
        kept = capture.state is State.STOPPED and capture.packets is not None
        return 0 if capture.state is State.DELIVERED or kept else 1

    def _give_up(self, capture: Capture) -> None:
        """The agent pod goes all the same."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        try:
            with self._services.cluster() as cluster:
                agent.delete(cluster, self._settings.agent_namespace, capture.id)
        except ClusterError as error:
            self._line.say(f"podcap: The agent pod may be left: {in_the_terminal(str(error))}")
        with suppress(IllegalMoveError):
            sentence = _SECOND if self._live is None else _SECOND_OF_A_STREAM
            ledger = self._services.ledger
            ended = ledger.move(capture.id, State.FAILED, by=WORKER, maker=Maker.HOUSE, sentence=sentence)
            self._report.show(ended)


def _order(request: Request, identity: Identity) -> Order:
    return Order(
        idempotency_key=f"terminal/{secrets.token_hex(16)}",
        cluster=request.first.cluster,
        namespace=request.first.namespace,
        pod=request.first.behind_the_slash,
        targets=None if request.is_one_pod else named(*request.targets, ends=request.ends),
        seconds=request.seconds,
        filter=request.filter,
        full=request.full,
        pcap=request.pcap,
        team_id="",
        channel_id="",
        user_id=identity.shown,
        user_name=identity.account,
        response_url=None,
        origin=TERMINAL,
        user_email=identity.email,
    )


def _introduced(capture: Capture) -> str:
    what = "whole packets" if capture.full else "headers only"
    narrowed = f", {capture.filter}" if capture.filter else ""
    return in_the_terminal(
        f"{capture.id}: {capture.what}, {shown(capture.seconds)}, {what}{narrowed}, "
        f"asked for by {capture.user_id}"
    )


class _Lines(logging.Handler):
    """Warnings of the engine as lines above the one that changes."""

    def __init__(self, line: ProgressLine) -> None:
        super().__init__(logging.WARNING)
        self.setFormatter(logging.Formatter("%(message)s"))
        self._line = line

    def emit(self, record: logging.LogRecord) -> None:
        for text in self.format(record).split("\n"):
            self._line.say(f"podcap: {in_the_terminal(text)}")


def _log_to(line: ProgressLine) -> None:
    logging.basicConfig(level=logging.WARNING, handlers=[_Lines(line)], force=True)
