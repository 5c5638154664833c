"""What the kernel has counted in a network namespace: `/proc/PID/net/snmp`, `netstat`, `snmp6`. Pure.

Their names are the kernel's (RFC 4022 and 4113, Documentation/networking/snmp_counter.rst); each stands here
with its group in front: `Tcp.RetransSegs`, `TcpExt.ListenOverflows`, `Udp6.InErrors`.
"""

import re
from collections.abc import Mapping

_PAIR = re.compile(r"^(\w+): (.*)\n\1: (.*)$", re.MULTILINE)
_SINGLE = re.compile(r"^((?:Ip|Icmp|Udp|UdpLite)6)(\w+)\s+(-?\d+)$", re.MULTILINE)
_GAUGES = frozenset({"Ip.Forwarding", "Ip.DefaultTTL", "Tcp.CurrEstab", "Tcp.MaxConn"})
"""What goes up and down, or is a setting."""

WORDS: Mapping[str, str] = {
    "Tcp.ActiveOpens": "connections that the pod opened",
    "Tcp.PassiveOpens": "connections that it took",
    "Tcp.AttemptFails": "connections that failed while they were opened",
    "Tcp.EstabResets": "open connections that ended with a reset",
    "Tcp.RetransSegs": "segments that it sent again",
    "Tcp.InErrs": "segments that came in damaged",
    "Tcp.OutRsts": "resets that it sent",
    "TcpExt.ListenOverflows": "connections dropped because the queue of accept() was full",
    "TcpExt.ListenDrops": "connections dropped at a listening socket, whatever for",
    "TcpExt.TCPReqQFullDrop": "SYNs dropped because the queue of SYNs was full",
    "TcpExt.SyncookiesSent": "SYN cookies sent because the queue of SYNs was full",
    "TcpExt.TCPTimeouts": "times that a segment was waited for in vain",
    "TcpExt.TCPSynRetrans": "SYNs that it sent again",
    "TcpExt.TCPLostRetransmit": "segments that were lost again",
    "TcpExt.TCPBacklogDrop": "segments dropped because the socket was busy",
    "TcpExt.TCPRcvQDrop": "segments dropped because the receive queue was full",
    "TcpExt.TCPToZeroWindowAdv": "times that it said it takes no more",
    "TcpExt.TCPAbortOnData": "connections reset with data unread",
    "TcpExt.TCPAbortOnTimeout": "connections given up after waiting",
    "TcpExt.TCPAbortOnMemory": "connections given up for want of memory",
    "TcpExt.PruneCalled": "times that receive memory was short",
    "Udp.NoPorts": "datagrams to ports where nobody listens",
    "Udp.RcvbufErrors": "datagrams dropped because the receive buffer was full",
    "Udp.SndbufErrors": "datagrams not sent because the send buffer was full",
    "Udp6.NoPorts": "datagrams to ports where nobody listens",
    "Udp6.RcvbufErrors": "datagrams dropped because the receive buffer was full",
    "Ip.OutNoRoutes": "packets for which it had no route",
    "Ip.InDiscards": "packets discarded on their way in",
    "Ip.OutDiscards": "packets discarded on their way out",
    "Icmp.InDestUnreachs": "ICMP errors that say what is out of reach",
}
"""What a counter counts, for those that tell of trouble or of how much went on."""


def read(files: Mapping[str, str]) -> dict[str, int]:
    """All counters by name.

    Args:
        files: `snmp`, `netstat`, `snmp6`; any may be missing, or be no such file.
    """
    found: dict[str, int] = {}
    for name in ("snmp", "netstat"):
        for group, names, values in _PAIR.findall(files.get(name, "")):
            for key, value in zip(names.split(), values.split(), strict=False):
                if re.fullmatch(r"-?[0-9]{1,20}", value):
                    found[f"{group}.{key}"] = int(value)
    for group, key, value in _SINGLE.findall(files.get("snmp6", "")):
        if len(value) <= 20:  # noqa: PLR2004, digits of 64 bits
            found[f"{group}.{key}"] = int(value)
    return found


def moved(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """How far each counter went on; those that did not, or are no counters, are left out.

    One that went back is, too: it is another namespace's.
    """
    return {
        name: value - before[name]
        for name, value in after.items()
        if name in before and value > before[name] and name not in _GAUGES
    }
