# Prints "PID ID" for each process: the id by which this network namespace knows the process's own,
# -1 when it has none. That is RTM_GETNSID with NETNSA_PID (linux/net_namespace.h, rtnetlink(7)), which
# no iproute2 command sends; it needs no capability.
socket(my $kernel, 16, 3, 0) or die "netlink: $!";
for my $pid (@ARGV) {
    send($kernel, pack("LSSLLCx3SSL", 28, 90, 1, 1, 0, 0, 8, 2, $pid), 0) or die "netlink: $!";
    recv($kernel, my $answer, 4096, 0);
    my ($length, $type) = unpack("LS", $answer);
    if ($type == 88) {
        for (my $at = 20; $at < $length; ) {
            my ($size, $attribute, $id) = unpack("SSl", substr($answer, $at));
            print "$pid $id\n" if $attribute == 1;
            $at += ($size + 3) & ~3 || last;
        }
    }
}
