"""Evidence constructed from documentation, in the form in which the script brings it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from typing import Any

from workers.cluster.pod import Pod
from workers.tap.evidence import Evidence, parse

NONCE = "5f1e"
UID = "0a0a0a0a-0000-4000-8000-000000000001"
POD = Pod("shop", "web-1", UID, "Running", node="n1", ips=("10.0.0.9",))
DIGITS = "751425ce827"
"""What `printf %s shop.web-1 | sha1sum` begins with."""

DOCKER = f"4:memory:/kubepods/burstable/pod{UID}/{'d' * 64}"
CONTAINERD = f"0::/../../kubepods-burstable-pod{UID.replace('-', '_')}.slice/cri-containerd-{'c' * 64}.scope"
CRIO = f"1:name=systemd:/kubepods.slice/kubepods-pod{UID.replace('-', '_')}.slice/crio-{'e' * 64}.scope"
KIND = (
    "0::/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/"
    f"kubelet-kubepods-besteffort-pod{UID.replace('-', '_')}.slice/cri-containerd-{'c' * 64}.scope"
)


@dataclass(frozen=True)
class Interface:
    """An interface in a pod's network namespace: index, addresses with their prefixes, packets in and out."""

    index: int
    addresses: tuple[str, ...] = ()
    received: int = 50
    sent: int = 40


ETH0: Mapping[str, Interface] = {"eth0": Interface(2, ("10.0.0.9/24",))}


@dataclass(frozen=True)
class Process:
    """A process of the pod, with what its network namespace shows; `nsid` None: it has no id on the node."""

    pid: int = 41
    cgroup: str = CONTAINERD
    interfaces: Mapping[str, Interface] = field(default_factory=lambda: dict(ETH0))
    nsid: int | None = 7


def built(*told: str, processes: tuple[Process, ...] = (Process(),), **codes: int) -> Evidence:
    """Evidence of these processes and the lines that the netlink program told."""
    nsid = [f"nsid {one.pid} {-1 if one.nsid is None else one.nsid}" for one in processes]
    sections = {
        "processes": [f"{one.pid}/cgroup:{one.cgroup}" for one in processes],
        "net": [line for one in processes for line in _files(one)],
        "netlink": [*told, *nsid],
        "later": [line for one in processes for line in _dev(one)],
    }
    framed = "".join(
        "\n".join(lines) + f"\n@{NONCE} {name} {codes.get(name, 0)}\n" for name, lines in sections.items()
    )
    return parse(f"{framed}\n@{NONCE} end 0\n".encode(), NONCE)


def veth(index: int, name: str, *, peer: int = 2, nsid: int = 7, master: str = "-", **_: Any) -> str:
    """A link of the node that is one end of a pair."""
    return f"link {index} {peer} {nsid} {master} veth {name}"


def mirrored(index: int, *, received: int = 40, sent: int = 50) -> str:
    """What the node's end has counted: as much as `ETH0`, the other way round."""
    return f"count {index} {received} {sent}"


def _files(one: Process) -> list[str]:
    lines = [f"{one.pid}/stat:{one.pid} (app) S " + " ".join(["0"] * 18) + " 5000 0"]
    lines += _dev(one)
    lines += [f"{one.pid}/net/igmp:{face.index}\t{name:<10}: 1 V3" for name, face in one.interfaces.items()]
    lines.append(f"{one.pid}/net/route:Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask")
    for name, face in one.interfaces.items():
        for address in map(ip_interface, face.addresses):
            if isinstance(address, IPv6Interface):
                row = (
                    f"{address.ip.packed.hex()} {face.index:02x} {address.network.prefixlen:02x} 00 80 {name}"
                )
                lines.append(f"{one.pid}/net/if_inet6:{row}")
            else:
                lines += [f"{one.pid}/net/{line}" for line in _four(name, address)]
    return lines


def _four(name: str, address: IPv4Interface) -> list[str]:
    to, mask = (
        word.packed[::-1].hex().upper() for word in (address.network.network_address, address.netmask)
    )
    return [
        f"route:{name}\t{to}\t00000000\t0001\t0\t0\t0\t{mask}\t0\t0\t0",
        f"fib_trie:           |-- {address.ip}",
        "fib_trie:              /32 host LOCAL",
    ]


def _dev(one: Process) -> list[str]:
    return [
        f"{one.pid}/net/dev:{name:>6}: 0 {face.received} 0 0 0 0 0 0 0 {face.sent} 0 0 0 0 0 0"
        for name, face in one.interfaces.items()
    ]
