"""Encapsulations that tshark opens and podcap's own pass does not. Pure.

Where one appears, tshark counts the flows (`workers.summary.flows.by_tshark`).
"""

ETHERTYPES = {
    0x22F3: "TRILL",
    0x4305: "B.A.T.M.A.N.",
    0x8847: "MPLS",
    0x8848: "MPLS",
    0x8864: "PPPoE",
    0x88E7: "802.1ah",
    0x8926: "VN-Tag",
    0x892F: "HSR",
    0x893F: "802.1BR",
    0x894F: "NSH",
    0x9104: "EERO",
    0xF1C1: "802.1CB",
}
IP_PROTOCOLS = {97: "EtherIP", 108: "IPComp", 115: "L2TP", 137: "MPLS", 143: "Ethernet over IP"}
UDP_PORTS = {
    1701: "L2TP",
    2152: "GTP",
    3544: "Teredo",
    4341: "LISP",
    4754: "GRE",
    4790: "VXLAN-GPE",
    5072: "AYIYA",
    5247: "CAPWAP",
    6635: "MPLS",
    37008: "TZSP",
    47000: "HCrt",
}

_WELL_KNOWN = 1024


def over_udp(one: int, other: int) -> str | None:
    """The carrier between two UDP ports, if it is one: tshark asks the lower port's dissector first."""
    low, high = min(one, other), max(one, other)
    return UDP_PORTS.get(low) or (UDP_PORTS.get(high) if low >= _WELL_KNOWN else None)
