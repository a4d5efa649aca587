#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# First process of the recording guest: sets the machine up, records while the scenario plays, hands the trace out.
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /mnt /etc /root
/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin HOME=/root TERM=dumb
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs -o mode=1777 tmp /tmp
mkdir -p /sys/kernel/tracing /sys/fs/bpf
mount -t tracefs tracing /sys/kernel/tracing
mount -t bpf bpf /sys/fs/bpf
hostname shop
ip link set lo up
ip addr add 192.0.2.10/32 dev lo
ip addr add 192.0.2.20/32 dev lo

/bin/sh /setup.sh >/dev/console 2>&1 </dev/null

# The second serial line carries the result, the first one what went wrong.
stty -F /dev/ttyS1 raw -echo
mkdir /out
falco capture -w /out/trace.scap.gz -z $RECORD_FLAGS 2>/dev/console &
recorder=$!
tries=0
while [ ! -s /out/trace.scap.gz ] && [ $tries -lt 120 ]; do
  sleep 1
  tries=$((tries + 1))
done
sleep 2
/bin/sh /scenario.sh >/out/scenario.log 2>&1 </dev/null
sleep 1
kill -INT $recorder
wait $recorder
echo "recorder: status $?" >/dev/console
tail -n 40 /out/scenario.log >/dev/console
{
  echo BEGIN
  base64 /out/trace.scap.gz
  echo END
} >/dev/ttyS1
sync
poweroff -f
