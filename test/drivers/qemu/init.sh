#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# First process of a guest: sets the machine up, makes the runs in /runs one after the other, and says on the second serial line
# how each ended. Lines that begin with @@ are for guest.ts, all others are what the run said.
/bin/busybox mkdir -p /proc /sys /dev /tmp /mnt /root /var
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root TERM=dumb NO_COLOR=1 TZ=UTC
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs -o mode=1777 tmp /tmp
mkdir -p /sys/kernel/tracing /sys/fs/bpf /sys/kernel/security /dev/shm
mount -t tracefs tracing /sys/kernel/tracing
mount -t bpf bpf /sys/fs/bpf
mount -t securityfs security /sys/kernel/security
mount -t tmpfs -o size=95% shm /dev/shm
hostname guest
ip link set lo up

line=/dev/ttyS1
stty -F $line raw -echo
say() {
	echo "$@" >$line
}
now() {
	cut -d' ' -f1 /proc/uptime
}
limit=$(sed -n 's/.*run_seconds=\([0-9]*\).*/\1/p' /proc/cmdline)
say "@@kernel $(uname -r)"
dmesg -c >/dev/null
for run in /runs/*; do
	name=${run##*/??-}
	mkdir -p /tmp/$name
	cd /tmp/$name
	say "@@run $name $(now)"
	timeout -s KILL $limit /bin/sh -c ". /lib.sh; . $run" >/tmp/said 2>&1 </dev/null
	status=$?
	# One line of a run cannot pass for one of ours.
	sed 's/^@@/ @@/' /tmp/said >$line
	say "@@status $name $status $(now)"
	dmesg -c | grep -E 'BUG|WARNING:|Oops|general protection|Call Trace|RIP:' | sed "s/^/@@trouble $name: /" >$line
	cd /
	rm -rf /tmp/$name
done
say "@@end"
sync
poweroff -f
