# Runs one tcpdump to its end, within its limits; writes everything into ./run.
#
#   supervise.sh INTERFACE SECONDS SNAPLEN PACKETS BYTES FILTER
#
# run/spool  the pcap file          run/pid    who ends the capture when it gets SIGINT
# run/log    tcpdump's own words    run/full   is there when BYTES were reached
# run/done   is there at the end; the exit code
interface=$1 seconds=$2 snaplen=$3 packets=$4 bytes=$5 filter=$6

# Should tcpdump outrun the watch below, a write beyond this fails; the signal would kill it without a word.
trap '' XFSZ
ulimit -f "$((bytes / 512 * 3 / 2 + 2048))"

timeout -s INT -k 5 "$seconds" tcpdump -i "$interface" -n -U -Z root -B 16384 \
    -s "$snaplen" -c "$packets" -w - -- "$filter" >run/spool 2>run/log &
capture=$!
echo "$capture" >run/pid.new
mv run/pid.new run/pid

(
    while sleep 0.2; do
        if [ "$(stat -c %s run/spool)" -ge "$bytes" ]; then
            : >run/full
            kill -INT "$capture"
            exit
        fi
    done
) &
watch=$!

wait "$capture"
echo "$?" >run/done.new
kill "$watch" 2>/dev/null
mv run/done.new run/done
