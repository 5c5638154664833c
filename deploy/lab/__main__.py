"""The lab's command line: `python -m deploy.lab up|down|status|…`; see `--help`."""

import argparse
import os
import sys
from pathlib import Path

from deploy.lab import places as where
from deploy.lab.cgroups import Tree
from deploy.lab.cluster import pod
from deploy.lab.down import end
from deploy.lab.namespaces import in_network, in_node
from deploy.lab.node.boot import SYSTEM
from deploy.lab.node.start import first_process
from deploy.lab.places import Places
from deploy.lab.plan import node_named
from deploy.lab.service import SERVICES, restart
from deploy.lab.status import report
from deploy.lab.switch import CLIENT, holder
from deploy.lab.traffic import traffic
from deploy.lab.truth import describe, truth
from deploy.lab.up import LabFailed, check_machine, up


def main() -> int:
    """Does what the command line says; 0 when done, 1 when it could not be, 2 for a wrong command line."""
    options = _parser().parse_args()
    os.environ["PATH"] = (
        f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin:/bin"  # a root of su's has no sbin
    )
    places = Places.of(options.dir)
    try:
        check_machine()
        _do(options, places)
    except (LabFailed, LookupError, RuntimeError, TimeoutError, ValueError) as error:
        print(error.args[0], file=sys.stderr)
        return 1
    return 0


def _do(options: argparse.Namespace, places: Places) -> None:
    if options.verb == "up":
        up(places)
    elif options.verb == "down":
        print("The lab is down." if end(places) else "The lab was down already.")
    elif options.verb == "status":
        print(report(places))
    elif options.verb == "restart":
        restart(places, options.name)
    elif options.verb == "traffic":
        print(traffic(places, options.seconds), flush=True)
    elif options.verb == "truth":
        print(describe(truth(places, pod(places, options.pod))))
    else:
        _become(options, places)


def _become(options: argparse.Namespace, places: Places) -> None:
    """Replaces this process by the command, inside the client's or a node's namespaces and cgroup."""
    tree = Tree(places.cgroup)
    command = options.command[options.command[:1] == ["--"] :]
    if not command:
        raise ValueError("which command is to be run?")
    if options.verb == "client":
        argv = tree.inside(CLIENT, in_network(holder(tree, CLIENT), command))
    else:
        node = node_named(options.name)
        # nsenter forks into the node's process ids; whoever ends it means the command.
        ended_with_it = ["setpriv", "--pdeathsig", "TERM", "--", *command]
        argv = tree.inside(f"{node.name}/{SYSTEM}", in_node(first_process(tree, node), ended_with_it))
    os.execvp(argv[0], argv)  # noqa: S606 - no shell wanted


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.lab", description="The one-machine cluster.")
    parser.add_argument("--dir", type=Path, default=where.DEFAULT, help="its folder; default %(default)s")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("up", help="start it")
    verbs.add_parser("down", help="end it and remove all of it")
    verbs.add_parser("status", help="say what runs")
    again = verbs.add_parser("restart", help="kill a server of the lab's own where it runs, and start it")
    again.add_argument("name", choices=[service.name for service in SERVICES])
    seconds = verbs.add_parser("traffic", help="let a client and a pod ask for things for a while")
    seconds.add_argument("seconds", type=int, metavar="SECONDS")
    own = verbs.add_parser("truth", help="say from outside which interface is a pod's")
    own.add_argument("pod", metavar="NAMESPACE/POD")
    client = verbs.add_parser("client", help="run a command at the LAN's client")
    client.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND")
    node = verbs.add_parser("node", help="run a command on a node")
    node.add_argument("name", metavar="NODE")
    node.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND")
    for verb in verbs.choices.values():
        verb.add_argument("--dir", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
