#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Records a trace in a guest of its own, so that it holds nothing of this machine:
#   scripts/record-capture.sh SCENARIO OUT.scap.gz
# SCENARIO is a directory with setup.sh (what is there before the recording begins), scenario.sh (what is recorded) and
# C programs, which are put into /opt/shop.
# The guest is a Debian kernel with busybox and dist/falco, run by QEMU without any network.
# Takes qemu-system-x86, busybox-static, gcc and, to fetch the kernel once, apt-get. RECORD_KERNEL names another kernel image.
set -eu
. "$(dirname "$0")/env.sh"

[ $# -eq 2 ] || {
  say "usage: scripts/record-capture.sh SCENARIO OUT.scap.gz"
  exit 2
}
scenario=$1
result=$2
for tool in qemu-system-x86_64 busybox dash gcc dpkg-deb; do
  command -v $tool >/dev/null || {
    say "record: $tool is missing: apt-get install qemu-system-x86 busybox-static gcc dpkg"
    exit 1
  }
done
[ -x dist/falco ] || sh scripts/build.sh

# The kernel that Debian gives out now, unpacked and kept, not installed.
cache=.cache/record
mkdir -p $cache
kernel=${RECORD_KERNEL:-$cache/vmlinuz}
if [ ! -f "$kernel" ]; then
  package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-.*\)/\1/p' | tail -1)
  say "record: fetching $package"
  (cd $cache && apt-get download -qq "$package" && dpkg-deb -x "$package"_*.deb kernel && cp kernel/boot/vmlinuz-* vmlinuz && rm -r kernel ./*.deb)
fi

root=$cache/root
rm -rf $root
mkdir -p $root/bin $root/opt/shop
cp "$(command -v busybox)" $root/bin/busybox
# A shell that is not busybox starts the applets as programs of their own, under their names.
cp "$(command -v dash)" $root/bin/sh
cp dist/falco $root/bin/falco
ldd dist/falco "$(command -v dash)" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' | sort -u | while read -r lib; do
  mkdir -p "$root$(dirname "$lib")"
  [ -e "$root$lib" ] || cp -L "$lib" "$root$lib"
done
for source in "$scenario"/*.c; do
  [ -f "$source" ] || continue
  gcc -static -O2 -Wall -Werror -D_GNU_SOURCE -o "$root/opt/shop/$(basename "$source" .c)" "$source"
done
cp scripts/record/init.sh $root/init
cp "$scenario/setup.sh" "$scenario/scenario.sh" $root/
chmod 755 $root/init
# The scenario plays on an invented day.
find $root -exec touch -h -d 2024-05-01T08:00:00Z {} +
(cd $root && find . | busybox cpio -o -H newc -R 0:0 2>/dev/null) >$cache/initrd

say "record: booting the guest"
rm -f $cache/serial
# Emulation works everywhere; "-cpu max" because Bun needs the newer instructions.
timeout 900 qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -m 1536 -smp 2 -accel tcg,thread=multi -cpu max \
  -kernel "$kernel" -initrd $cache/initrd -append "console=ttyS0 panic=-1 quiet" \
  -rtc base=2024-05-01T09:00:00 -serial file:$cache/console -serial file:$cache/serial </dev/null || {
  say "record: the guest did not end by itself; its console:"
  tail -20 $cache/console >&2
  exit 1
}
tr -d '\r' <$cache/serial | sed -n '/^BEGIN$/,/^END$/p' | sed '1d;$d' | base64 -d >"$result.tmp"
[ -s "$result.tmp" ] || {
  say "record: nothing was recorded; the guest's console:"
  tail -40 $cache/console >&2
  exit 1
}
mv "$result.tmp" "$result"
say "record: $result, $(wc -c <"$result") bytes"
