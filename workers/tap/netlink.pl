# Asks the kernel over netlink what `ip` and `bridge` would print, and the ids of network namespaces, which they
# cannot: RTM_GETNSID with NETNSA_PID (rtnetlink(7), linux/net_namespace.h). It needs no capability.
#
#   netlink.pl IFINDEX "HEX…" PID…
#
# IFINDEX  the one link that is asked for; "" for all of them, their neighbours, forwarding and routes
# HEX…     addresses as hexadecimal digits
#
# Prints "nsid PID ID", "inode PID NAMESPACE", "mark PID NUMBER", "link INDEX PEER NSID MASTER KIND NAME", "neighbour HEX INDEX STATE MAC",
# "learned MAC PORT BRIDGE", "route HEX TYPE LENGTH INDEX GATEWAY", "count INDEX RECEIVED SENT"; "-" where there is none.
my ($only, $hex, @pids) = @ARGV;
my @ips = map { pack("H*", $_) } split(" ", $hex);
socket(my $kernel, 16, 3, 0) or die "netlink: $!";
sub ask {
    my ($type, $dump, $body) = @_;
    for (1 .. 3) {
        my ($torn, @answers);
        send($kernel, pack("LSSx8", 16 + length($body), $type, $dump ? 769 : 1) . $body, 0) or die "netlink: $!";
        ANSWER: while (1) {
            defined recv($kernel, my $buffer, 65536, 0) or die "netlink: $!";
            for (my $at = 0; $at < length($buffer);) {
                my ($length, $type, $flags) = unpack("LSS", substr($buffer, $at, 8));
                # NLM_F_DUMP_INTR: something changed meanwhile, an entry may be missing.
                $torn ||= $flags & 16;
                last ANSWER if $type < 16;
                push @answers, substr($buffer, $at + 16, $length - 16);
                last ANSWER unless $flags & 2;
                $at += $length + 3 & ~3;
            }
        }
        return @answers unless $torn;
    }
    die "netlink: the links change faster than they can be listed";
}
# Type and value by turns; each value stands between its type and the two bytes that follow it.
my $attributes = "(x2SX4S/aX2x!4)*";
sub number { return defined $_[0] ? unpack("x2l", $_[0]) : "-" }
sub hex_of { return unpack("x2H" . 2 * $_[1], $_[0]) }
sub row { print join(" ", @_), "\n" }

my (%asked, %behind);
# Links first: listing them is what makes the kernel give ids to the namespaces behind them. 8: no statistics.
for (ask(18, !length($only), pack("x4lx8SSL", $only || 0, 8, 29, 8))) {
    my %of = unpack("x16$attributes", $_);
    my $index = unpack("x4l", $_);
    my ($peer, $id, $master) = map { number($_) } @of{5, 37, 10};
    my $kind = $of{18} && unpack("x4S", $of{18}) == 1 ? unpack("x6Z*", $of{18}) : "-";
    push @{$behind{$id}}, $index;
    print "link $index $peer $id $master $kind ", unpack("x2Z*", $of{3}), "\n";
}
for my $pid (@pids) {
    for (ask(90, 0, pack("x4SSL", 8, 2, $pid))) {
        my %of = unpack("x4$attributes", $_);
        my $id = number($of{1});
        row("nsid", $pid, $id);
        @asked{@{$behind{$id} || []}} = ();
    }
    my $inode = readlink("/proc/$pid/ns/net");
    row("inode", $pid, $inode =~ /(\d+)/) if $inode;
    # Each network namespace has files of its own under /proc: their inodes tell namespaces apart to anybody.
    my $mark = (stat("/proc/$pid/net/dev"))[1];
    row("mark", $pid, $mark) if $mark;
}
if (!length($only)) {
    my (%macs, @got);
    for my $it (ask(30, 1, pack("x12"))) {
        next unless grep { index($it, $_) > 0 } @ips;
        my %of = unpack("x12$attributes", $it);
        next unless $of{2} && length($of{2}) > 7;
        my ($device, $state) = unpack("x4lS", $it);
        my $mac = hex_of($of{2}, 6);
        row("neighbour", hex_of($of{1}, length($of{1}) > 8 ? 16 : 4), $device, $state, $mac);
        # One entry of one bridge (Linux 5.0); there is none where the device is no bridge, or keeps one for each VLAN.
        push @got, ask(30, 0, pack("Cx11SSH12x2SSl", 7, 10, 2, $mac, 8, 9, $device));
        $macs{$mac} = 1;
    }
    # Where not every bridge answered, all are asked for everything: one answer alone could be a stale one.
    for (@got && @got >= keys %macs ? @got : ask(30, 1, pack("Cx11", 7))) {
        my ($port, $state) = unpack("x4lS", $_);
        # 128: permanent, a port's own address.
        next if $state & 128;
        my %of = unpack("x12$attributes", $_);
        next unless $of{9} && $of{2};
        my $mac = hex_of($of{2}, 6);
        row("learned", $mac, $port, number($of{9}));
        $asked{$port} = 1 if $macs{$mac};
    }
    for my $ip (@ips) {
        my $size = length($ip);
        # 8192, RTM_F_FIB_MATCH: the route itself, with its prefix's length.
        for (ask(26, 0, pack("CCx6LSSa*", $size > 4 ? 10 : 2, 8 * $size, 8192, 4 + $size, 1, $ip))) {
            my %of = unpack("x12$attributes", $_);
            row("route", unpack("H*", $ip), unpack("x7C", $_), unpack("xC", $_), number($of{4}), $of{5} ? "via" : "-");
            $asked{unpack("x2l", $of{4})} = 1 if $of{4};
        }
    }
}
for my $index (length($only) ? $only : keys %asked) {
    for (ask(18, 0, pack("x4lx8", $index))) {
        my %of = unpack("x16$attributes", $_);
        row("count", $index, unpack("x2QQ", $of{23})) if $of{23};
    }
}
