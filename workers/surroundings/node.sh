# Reads on a node what is around pods: files of their network namespaces, and what the node tracks.
#
#   node.sh NONCE "ADDRESS…" "ID… - PID…"…
#
# NONCE      a word that nothing else on the node contains
# ADDRESS…   the pods' addresses as the kernel writes them in full, separated by spaces
# ID… - PID… for each pod: what the cgroup paths of its processes contain, then processes to look at; the
#            first that is the pod's still is taken
#
# Each section is followed by a line "@NONCE NAME EXIT-CODE"; the last one is called "end".
# Needs no capability, only hostPID and hostNetwork.
nonce=$1 addresses=$2
shift 2
LC_ALL=C
export LC_ALL
set -f
cd /proc || exit 1

end() {
    printf '\n@%s %s %s\n' "$nonce" "$1" "$2"
}

date +%s%N
end clock $?

number=0
for group; do
    set -- $group
    ids=
    while [ "$#" -gt 0 ] && [ "$1" != - ]; do
        ids="$ids -e $1"
        shift
    done
    found=
    for pid; do
        if [ "$pid" != - ] && grep -q -s -F $ids "$pid/cgroup"; then
            found=$pid
            break
        fi
    done
    if [ -n "$found" ]; then
        for file in snmp snmp6 netstat tcp tcp6 udp udp6 route ipv6_route arp; do
            head -c 1000000 "$found/net/$file" 2>/dev/null
            end "$number/$file" $?
        done
    fi
    number=$((number + 1))
done

if [ -r /proc/net/nf_conntrack ]; then
    set --
    for address in $addresses; do
        set -- "$@" -e "=$address "
    done
    grep -F "$@" /proc/net/nf_conntrack 2>/dev/null | head -c 1000000
    end tracked 0
fi
end end 0
