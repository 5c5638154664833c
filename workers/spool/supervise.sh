# Runs one tcpdump to its end, within its limits; writes everything into ./run.
#
#   supervise.sh INTERFACE SECONDS LONGEST SNAPLEN PACKETS BYTES FILTER PID STARTED ARMED PAUSE
#
# PID    the process whose network namespace INTERFACE is in; "" when it is in this one
# ARMED  how many seconds it may wait for its beginning, with tcpdump listening; "" when it begins at once
# PAUSE  seconds between two looks, while its end is not near
#
# run/spool    the pcap file         run/pid    who ends the capture when it gets SIGINT
# run/log      tcpdump's own words   run/full   is there when BYTES were reached
# run/seconds  SECONDS, which may    run/over   is there when it was ended from here
#              be set to more        run/done   is there at the end; the exit code
# run/began    when it began: nanoseconds since 1970, and hundredths of a second since the machine started
# run/unwritten  is there when the spool could not be written to its end; the words for it
interface=$1 seconds=$2 longest=$3 snaplen=$4 packets=$5 bytes=$6 filter=$7 pid=$8 armed=${10} pause=${11}

# Space for saying how it ended, when the disk is full by then.
head -c 65536 /dev/zero >run/spare
echo "$seconds" >run/seconds

# The time since the machine started, in hundredths of a second: nobody sets that clock.
uptime() {
    read -r up _ </proc/uptime
    now=${up%.*}${up#*.}
}

# tcpdump does not look whether its writes succeed (4.99): on a full disk it goes on, and leaves holes where
# space came back. cat ends at the first that fails, which ends tcpdump by SIGPIPE, and it tells its counts.
mkfifo run/pipe
(
    # Should tcpdump outrun the watch below, a write beyond this fails; the signal would kill cat.
    trap '' XFSZ
    ulimit -f "$((bytes / 512 * 3 / 2 + 2048))"
    if ! words=$(cat <run/pipe 2>&1 >run/spool); then
        rm -f run/spare
        echo "$words" >run/unwritten
    fi
) &
writer=$!

timeout -s INT -k 5 "$longest" ${pid:+nsenter "--net=/proc/$pid/ns/net"} tcpdump -i "$interface" -n -U -Z root -B 16384 \
    -s "$snaplen" -c "$packets" -w - -- "$filter" >run/pipe 2>run/log &
capture=$!
echo "$capture" >run/pid.new
mv run/pid.new run/pid

(
    # On a busy node tcpdump takes a while to begin; it is not to be ended before.
    until grep -qs 'listening on' run/log; do
        sleep 0.1
    done
    uptime
    if [ -n "$armed" ]; then
        limit=$((now + armed * 100))
    else
        echo "$(date +%s%N) $now" >run/began
    fi
    wait=0.2
    while sleep "$wait"; do
        read -r seconds <run/seconds
        uptime
        if [ "$(stat -c %s run/spool)" -ge "$bytes" ]; then
            : >run/full
        elif [ -s run/began ]; then
            read -r _ began <run/began
            left=$((began + seconds * 100 - now))
            wait=0.2
            if [ "$left" -gt 300 ]; then
                wait=$pause
            fi
            if [ "$left" -gt 0 ]; then
                continue
            fi
        elif [ "$now" -lt "$limit" ]; then
            continue
        fi
        : >run/over
        kill -INT "$capture"
        exit
    done
) &
watch=$!

wait "$capture"
code=$?
wait "$writer"
rm -f run/spare
echo "$code" >run/done.new
kill "$watch" 2>/dev/null
mv run/done.new run/done
