"""The keywords of capture filters: pcap-filter(7) of libpcap 1.10.

A word that only a newer libpcap knows may stand here, too: an older one refuses it by itself.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NAMED_TYPES = _words("port portrange proto protochain")
"""Behind them libpcap looks a name up in files: a service, a protocol."""

NAMING = _words("type subtype dir direction llc on ifname rset ruleset reason action")
"""Behind them one word is a thing of the link layer or of pf(4), from libpcap's own tables."""

JOINING = _words("and or not && || !")
"""What stands before a condition."""

_PROTOCOLS = _words("""
    link ether ppp slip fddi tr wlan arp rarp ip sctp tcp udp icmp igmp igrp pim vrrp carp radio ip6 icmp6 ah
    esp atalk aarp decnet lat sca moprc mopdl iso esis es-is isis is-is l1 l2 iih lsp snp csnp psnp clnp stp
    ipx netbeui
""")
_ADDRESSES = _words("""
    host net mask gateway src dst ra ta
    addr1 addr2 addr3 addr4 address1 address2 address3 address4
""")
_CONDITIONS = _words("""
    less greater byte broadcast multicast len length inbound outbound ifindex
    vlan mpls pppoed pppoes geneve vxlan rnr rulenum srnr subrulenum
    lane metac bcc oam oamf4 oamf4ec oamf4sc sc ilmic vpi vci connectmsg metaconnect
    fisu lssu lsu msu hfisu hlssu hmsu sio opc dpc sls hsio hopc hdpc hsls
""")
_FIELDS = _words("""
    icmptype icmpcode icmp-echoreply icmp-unreach icmp-sourcequench icmp-redirect icmp-echo
    icmp-routeradvert icmp-routersolicit icmp-timxceed icmp-paramprob icmp-tstamp icmp-tstampreply icmp-ireq
    icmp-ireqreply icmp-maskreq icmp-maskreply
    icmp6type icmp6code icmp6-destinationunreach icmp6-packettoobig icmp6-timeexceeded
    icmp6-parameterproblem icmp6-echo icmp6-echoreply icmp6-multicastlistenerquery
    icmp6-multicastlistenerreportv1 icmp6-multicastlistenerdone icmp6-routersolicit icmp6-routeradvert
    icmp6-neighborsolicit icmp6-neighboradvert icmp6-redirect icmp6-routerrenum icmp6-nodeinformationquery
    icmp6-nodeinformationresponse icmp6-ineighbordiscoverysolicit icmp6-ineighbordiscoveryadvert
    icmp6-multicastlistenerreportv2 icmp6-homeagentdiscoveryrequest icmp6-homeagentdiscoveryreply
    icmp6-mobileprefixsolicit icmp6-mobileprefixadvert icmp6-certpathsolicit icmp6-certpathadvert
    icmp6-multicastrouteradvert icmp6-multicastroutersolicit icmp6-multicastrouterterm
    tcpflags tcp-fin tcp-syn tcp-rst tcp-push tcp-ack tcp-urg tcp-ece tcp-cwr
""")

KEYWORDS = NAMED_TYPES | NAMING | _words("and or not") | _PROTOCOLS | _ADDRESSES | _CONDITIONS | _FIELDS
"""Every word that libpcap reads as itself."""
