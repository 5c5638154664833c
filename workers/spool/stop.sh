# Ends the capture early, in good order.
#
#   stop.sh DIRECTORY
#
# Exit code 0 when it has ended or will at once.
cd "$1/run" || exit 1
if [ -e done ]; then
    exit 0
fi
pid=$(cat pid) || exit 1
: >stopped
# The kernel hands packets to tcpdump in blocks, at the latest after a second: let the last block arrive.
sleep 1.1
# With hostPID a number that was given anew could be anybody's: only a process of this container is ours.
if [ "$(cat "/proc/$pid/cgroup")" = "$(cat /proc/self/cgroup)" ]; then
    kill -INT "$pid"
else
    [ -e done ]
fi
