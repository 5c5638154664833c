"""What the trail knows of a tap is enough to go on with it."""

import json

import pytest

from workers.cluster.pod import Pod
from workers.spool.spool import SpoolLimits
from workers.tap.evidence import Evidence, Process
from workers.tap.procfs import Namespace
from workers.tap.tap import Tap
from workers.trail.entry import canonical
from workers.trail.facts import tap_of, tapped

POD = Pod("shop", "web-1", "u", "Running", node="n1", ips=("10.0.0.9",))
INSIDE = Namespace(frozenset(POD.ips), {"eth0": 2}, {"10.0.0.9": "eth0"}, {})
EVIDENCE = Evidence(processes=(Process(41, "/pod", 77),), namespaces={41: INSIDE}, netns_ids={41: 7})


@pytest.mark.parametrize(
    "tap",
    [
        Tap("n1", "veth9", 9, "namespace", ("id 7", "so do others"), "high", 7),
        Tap("n1", "eth0", 2, "inside", ("no pair",), "high", 7, pid=41, started=77),
        Tap("n1", "any", 0, "host", ("it uses hostNetwork",), "medium"),
    ],
)
def test_a_tap_is_read_from_the_trail_as_it_was_written_there(tap: Tap) -> None:
    facts = tapped(POD, tap, EVIDENCE, "", SpoolLimits(30, 10, 10), POD)
    assert tap_of(json.loads(canonical(facts))) == tap
