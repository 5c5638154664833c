# Marks the beginning of armed captures: the same moment for all of this node.
#
#   go.sh HOLD DIRECTORY...
#
# HOLD  "hold" to print "ready" and wait for a line on standard input; "" to mark it now
#
# Prints for each directory, in their order, when its capture began, in nanoseconds since 1970; one that has
# begun before is left as it is. Exit code 1 when nobody says go.
hold=$1
shift

# The time since the machine started, in hundredths of a second. Unlike the time of day the shell reads it by
# itself: on a busy node, starting a program takes tenths of a second.
uptime() {
    read -r up _ </proc/uptime
    up=${up%.*}${up#*.}
}

# The time of day at some such time, as exactly as the node's business lets it; rather too early than too late,
# so that no packet from after the beginning is taken for one from before.
tries=0
while :; do
    uptime
    before=$up
    now=$(date +%s%N)
    uptime
    known=$up tries=$((tries + 1))
    if [ "$((known - before))" -le 1 ] || [ "$tries" -eq 10 ]; then
        break
    fi
done
case $now in
*[!0-9]*) now=${now%%[!0-9]*}000000000 ;; # busybox counts seconds alone
esac

if [ -n "$hold" ]; then
    echo ready
    read -r go || exit 1
fi
uptime
now=$((now + (up - known) * 10000000))
for directory; do
    if [ ! -s "$directory/run/began" ]; then
        echo "$now $up" >"$directory/run/began"
    fi
    began=
    read -r began _ <"$directory/run/began"
    echo "$began"
done
