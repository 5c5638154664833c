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
if [ -n "$hold" ]; then
    echo ready
    read -r go || exit 1
fi
now=$(date +%s%N)
case $now in
*[!0-9]*) now=${now%%[!0-9]*}000000000 ;; # busybox counts seconds alone
esac
read -r up _ </proc/uptime
for directory; do
    if [ ! -s "$directory/run/began" ]; then
        echo "$now ${up%.*}${up#*.}" >"$directory/run/began"
    fi
    began=
    read -r began _ <"$directory/run/began"
    echo "$began"
done
