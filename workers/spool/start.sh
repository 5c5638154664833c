# Starts tcpdump so that it outlives this exec, and waits until it listens or has failed.
#
#   start.sh SUPERVISE DIRECTORY INTERFACE SECONDS LONGEST SNAPLEN PACKETS BYTES FILTER PID STARTED ARMED PAUSE
#
# SUPERVISE is supervise.sh as text, which says what ARMED and PAUSE are. STARTED is when process PID did, in clock ticks: another one that was given
# its number since then must not be entered. Started twice, the second only says how the first is doing.
# Exit code 0 and tcpdump's "listening on" line, or 1 and its error.
supervise=$1 directory=$2
shift 2
mkdir -p "$directory" || exit 1
cd "$directory" || exit 1

started() {
    read -r stat 2>/dev/null <"/proc/$1/stat" || return
    set -f -- ${stat##*) }
    echo "${20}"
}

if [ -n "$8" ] && [ "$(started "$8")" != "$9" ]; then
    echo "tcpdump: the pod's process $8 has ended"
    exit 1
fi
if mkdir run 2>/dev/null; then
    setsid sh -c "$supervise" podcap-supervise "$@" </dev/null >/dev/null 2>&1 &
fi
tries=0
until grep -s 'listening on' run/log; do
    tries=$((tries + 1))
    if [ -e run/done ] || [ "$tries" -gt 100 ]; then
        cat run/log
        exit 1
    fi
    sleep 0.1
done
