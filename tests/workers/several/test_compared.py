"""Which Services' tables a capture of several taps shows."""

from dataclasses import replace

from tests.workers.service_truth.scene import Scene
from workers.names.names import Names
from workers.several.compared import tables
from workers.summary.endpoint import Endpoint


def test_a_service_that_nobody_came_to_has_no_table_beside_one_that_was_asked() -> None:
    asked = Scene().comes(Endpoint("192.168.1.35", 50000), "node1", "a").truth()
    silent = replace(Scene().truth(), port=asked.port._replace(service="gouda"))
    (table,) = tables([silent, asked], Names(Scene().snapshot))
    assert table.startswith("Service traefik/cheddar:80")


def test_where_nobody_came_to_any_service_one_table_says_so() -> None:
    silent = Scene().truth()
    assert len(tables([silent, silent], Names(Scene().snapshot))) == 1
    assert tables([], Names(Scene().snapshot)) == ()
