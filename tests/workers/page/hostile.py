"""Text that would act where it is not escaped, and a summary with text wherever others could bring it."""

from tests.workers.picture.charts import recognised
from workers.summary.decoded import Decoded
from workers.summary.endpoint import Endpoint
from workers.summary.exchange import Group
from workers.summary.finding import Finding
from workers.summary.flow import Flow, Tunnel
from workers.summary.summary import Summary, Totals

CHART = recognised()
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style></script><svg onload=alert(1)>",
    "--><!--",
    "\x00\x1b[2J\u202egnp.exe\ud800",
    "&lt;b&gt;",
]


def summary(text: str, flows: int = 1) -> Summary:
    """With this text wherever a packet, a name or a file could bring it."""
    client, server = Endpoint("10.0.0.1", 40000), Endpoint("10.0.0.2", 80)
    flow = Flow(
        "TCP",
        client,
        server,
        3,
        300,
        2,
        200,
        0.5,
        1.5,
        opened_by="a",
        handshake=0.01,
        resets_ba=1,
        tunnel=Tunnel(text, 7, "a", "b"),
    )
    return Summary(
        Totals(CHART.packets, CHART.bytes, CHART.first, CHART.first),
        (flow._replace(tunnel=None),) * (flows - 1) + (flow,),
        payload=True,
        notes=(text,),
        groups=(Group("HTTP", text, text, failed=True, times=2, frame=5, server=server, median=0.1),),
        findings=(
            Finding("reset", "warning", text, {}, text, 6, text, (Decoded(6, text, {text: text}, (text,)),)),
        ),
        timeline=CHART.timeline,
        names={"10.0.0.2": text},
    )
