# Gathers on a node all that is needed to say where a pod's packets pass.
#
#   evidence.sh NONCE NSID_PROGRAM "POD_IP…" ID…
#
# NONCE         a word that nothing else on the node contains
# NSID_PROGRAM  nsid.pl as text
# POD_IP…       the pod's addresses, separated by spaces
# ID…           what its processes' cgroup paths contain: pod UID in both spellings, container ids
#
# Each section is followed by a line "@NONCE NAME EXIT-CODE"; the last one is called "end".
# Needs no capability, only hostPID and hostNetwork.
nonce=$1 nsid=$2 ips=$3
shift 3
LC_ALL=C
export LC_ALL

end() {
    printf '\n@%s %s %s\n' "$nonce" "$1" "$2"
}

section() {
    name=$1
    shift
    "$@" 2>&1
    end "$name" $?
}

for id; do
    shift
    set -- "$@" -e "$id"
done
processes=$(grep -s -H -F "$@" /proc/[0-9]*/cgroup)
printf '%s' "$processes"
end processes 0

# The pod's processes share one network namespace; four are asked in case one of them left it.
pids=$(printf '%s\n' "$processes" | sed -n 's|^/proc/\([0-9]*\)/.*|\1|p' | sort -n -u | head -n 4)
set --
for pid in $pids; do
    for file in dev if_inet6 igmp dev_mcast route fib_trie; do
        set -- "$@" "/proc/$pid/net/$file"
    done
done
section net grep -s -H '' "$@" /dev/null

# Links first: listing them is what makes the kernel give ids to the namespaces behind them.
section links ip -j -d link
section nsid perl -e "$nsid" $pids
for ip in $ips; do
    section "route/$ip" ip -j route get "$ip"
done
section neighbours ip -j neigh
section forwarding bridge -j fdb show
section counters cat /proc/net/dev
section tcpdump tcpdump --version
end end 0
