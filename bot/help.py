"""What `/podcap help` answers."""

from typing import Any

_LINES = (
    "*Capture pods' packets:* `/podcap TARGET… [DURATION] [full] [pcap] [FILTER…]`",
    "• `/podcap traefik/cheddar-845749dbd6-zcdjm` captures 30 s of headers",
    "• `/podcap traefik/cheddar-845749dbd6-zcdjm 2m port 80` narrows it with a capture filter",
    "• `/podcap traefik/cheddar-845749dbd6-zcdjm full port 80` keeps whole packets, if the policy allows it",
    "• `/podcap traefik/cheddar-845749dbd6-zcdjm pcap port 80` brings plain pcap, without names",
    "• `/podcap traefik/deploy/cheddar` captures all its pods; so do `sts`, `ds`, `rs`, `job`, and `svc`",
    "• `/podcap traefik/app=cheese,tier!=db shop/web-0` takes several targets: labels, and a pod",
    "• `/podcap shop/web-0 -&gt; shop/svc/db` captures both ends; `node/NAME` a node's uplink",
    "• `/podcap audit traefik/cheddar-845749dbd6-zcdjm since 7d` says who captured it, if you may know",
    "It reports in the channel: a message with a Stop button, in its thread the flows and the file.",
    "Filters are those of tcpdump (pcap-filter), with addresses instead of host names.",
)


def help_message() -> dict[str, Any]:
    """Arguments of the ack, for the asker only."""
    text = "\n".join(_LINES)
    return {
        "response_type": "ephemeral",
        "text": text,
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}],
    }
