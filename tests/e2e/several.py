"""A capture of several pods in the lab, asked for without the processes of podcap."""

from typing import Any

from deploy.lab.handle import LabHandle
from tests.orders import order_in_the_lab
from workers.ledger.capture import Capture
from workers.ledger.states import State
from workers.ledger.tap_record import TapRecord
from workers.services import Services
from workers.thread.thread import Thread


def replicas(lab: LabHandle) -> list[TapRecord]:
    """The pods that serve cheese, as taps that wait."""
    pods = [pod for pod in lab.pods("task=cheddar") if pod["spec"]["nodeName"] != "k8s-node04"]
    return [
        TapRecord(number, namespace="traefik", pod=pod["metadata"]["name"], node=pod["spec"]["nodeName"])
        for number, pod in enumerate(pods)
    ]


def ask(world: Any, services: Services, taps: list[TapRecord], *, seconds: int, filter_: str) -> Capture:
    """A capture of these taps that has its message and its turn."""
    state = world.control("state")
    order = order_in_the_lab(
        state,
        pod="deploy/cheddar",
        seconds=seconds,
        filter=filter_,
        full=True,
        targets="traefik/deploy/cheddar",
    )
    capture, _ = services.ledger.request(order)
    report = services.place.report(capture)
    assert isinstance(report, Thread)
    report.open(capture)
    return services.ledger.move(capture.id, State.QUEUED, by="test", taps=taps)
