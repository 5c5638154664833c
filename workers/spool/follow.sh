# Writes the spool from an offset to standard output while it grows, and a line "at OFFSET" to standard error
# every PAUSE seconds, so that the stream never looks idle.
#
#   follow.sh DIRECTORY OFFSET PAUSE
#
# Exit code 0 once tcpdump has ended and all of the spool was written. Started under timeout: nobody else
# would end it when its connection is cut.
offset=$2
cd "$1/run" || exit 1
while :; do
    over=
    if [ -e done ]; then
        over=1
    fi
    size=$(stat -c %s spool) || exit 1
    if [ "$size" -gt "$offset" ]; then
        tail -c "+$((offset + 1))" spool 2>/dev/null | head -c "$((size - offset))" || exit 1
        offset=$size
    fi
    echo "at $offset" >&2
    if [ -n "$over" ]; then
        exit 0
    fi
    sleep "$3"
done
