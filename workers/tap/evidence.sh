# Gathers on a node all that is needed to say where a pod's packets pass.
#
#   evidence.sh NONCE NETLINK_PROGRAM "HEX…" "ADDRESS…" "PID…" IFINDEX ID…
#
# NONCE            a word that nothing else on the node contains
# NETLINK_PROGRAM  netlink.pl as text
# HEX…             the pod's addresses as hexadecimal digits, separated by spaces
# ADDRESS…         the same as they are written
# PID…             the processes to look at; "" for all of the node
# IFINDEX          the one link to ask for; "" for all, and for neighbours, forwarding and routes
# ID…              what the cgroup paths of the pod's processes contain: pod UID in both spellings, container ids
#
# Each section is followed by a line "@NONCE NAME EXIT-CODE"; the last one is called "end".
# Needs no capability, only hostPID and hostNetwork.
nonce=$1 program=$2 hex=$3 addresses=$4 pids=$5 only=$6
shift 6
LC_ALL=C
export LC_ALL
cd /proc || exit 1

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
# A pattern `[0-9]*/cgroup` would have the shell look at each of these files first.
cgroups=$(printf '%s/cgroup ' ${pids:-[0-9]*})
processes=$(grep -s -H -F "$@" $cgroups /dev/null)
printf '%s' "$processes"
end processes 0

# The pod's processes share one network namespace; the four oldest are asked in case one of them left it.
set --
last=
count=0
for line in $(printf '%s\n' "$processes" | sort -n); do
    pid=${line%%/*}
    case $pid in
    "$last" | *[!0-9]*) continue ;;
    esac
    last=$pid count=$((count + 1))
    set -- "$@" "$pid"
    if [ "$count" -eq 4 ]; then
        break
    fi
done
pids=$*

set --
for pid in $pids; do
    for file in stat net/dev net/if_inet6 net/igmp net/dev_mcast net/route net/fib_trie; do
        set -- "$@" "$pid/$file"
    done
done
section net grep -s -H '' "$@" /dev/null

perl -e "$program" "$only" "$hex" $pids 2>&1
code=$?
end netlink "$code"
if [ "$code" -ne 0 ]; then
    section links ip -j -d link
    for address in $addresses; do
        section "route/$address" ip -j route get fibmatch "$address"
    done
    section neighbours ip -j neigh
    section forwarding bridge -j fdb show
fi

# Once more: what the links counted lies between what the pod's side counted before and after.
set --
for pid in $pids; do
    set -- "$@" "$pid/net/dev"
done
section later grep -s -H : "$@" /dev/null
end end 0
