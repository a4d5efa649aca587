#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the kernel probe (build/probe.o) and the shim (build/falco-shim.so) when their sources are newer.
# Takes clang, llvm, gcc, binutils, libbpf-dev, libelf-dev and zlib1g-dev of Debian.
#   ARCH=arm64    for the other architecture (needs its cross compiler and static libraries for the shim)
#   PROBE_ONLY=1  stop after the probe
#   SANITIZE=1    build/falco-shim-asan.so with address and undefined-behaviour checks, for test/shim
set -eu
cd "$(dirname "$0")/.."

case "${ARCH:-$(uname -m)}" in
x86_64 | amd64) arch=x86 libs=/usr/lib/x86_64-linux-gnu cross= ;;
arm64 | aarch64) arch=arm64 libs=/usr/lib/aarch64-linux-gnu cross=aarch64-linux-gnu- ;;
*)
	echo "build-driver: no probe for architecture '${ARCH:-$(uname -m)}'" >&2
	exit 1
	;;
esac
[ "$(uname -m)" = aarch64 ] && cross=
native=$([ "$(uname -m)" = aarch64 ] && echo arm64 || echo x86)
out=build
[ "$arch" = "$native" ] || out=build/$arch
clang=$(command -v clang || command -v clang-14 || true)
strip=$(command -v llvm-strip || command -v llvm-strip-14 || true)
[ -n "$clang" ] && [ -n "$strip" ] || {
	echo "build-driver: clang and llvm are needed: apt-get install clang llvm" >&2
	exit 1
}
mkdir -p "$out/shim"

# newer OUTPUT SOURCE…: true when the output is missing or any source is newer.
newer() {
	made=$1
	shift
	[ -f "$made" ] || return 0
	[ -n "$(find "$@" -newer "$made" -print -quit)" ]
}

if newer "$out/probe.o" driver/probe_abi.h driver/modern_bpf driver/fillers driver/generated scripts/build-driver.sh; then
	$clang -O2 -g -target bpf -mcpu=v3 -D__TARGET_ARCH_$arch -Wall -Wextra -Werror -Wno-unused-parameter -fno-strict-aliasing \
		-c driver/modern_bpf/probe.bpf.c -o "$out/probe.full.o"
	# Only the debug sections go: the type information that relocates field offsets stays.
	$strip -g "$out/probe.full.o" -o "$out/probe.tmp.o"
	rm "$out/probe.full.o"
	mv "$out/probe.tmp.o" "$out/probe.o"
	echo "build-driver: $out/probe.o" >&2
fi
[ -z "${PROBE_ONLY:-}" ] || exit 0

target=$out/falco-shim.so
extra=
if [ -n "${SANITIZE:-}" ]; then
	target=$out/falco-shim-asan.so
	extra="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
fi
if newer "$target" "$out/probe.o" libscap-shim driver/generated/slots.h driver/probe_abi.h scripts/build-driver.sh; then
	for lib in libbpf libelf libz; do
		[ -f "$libs/$lib.a" ] || {
			echo "build-driver: $libs/$lib.a is missing: apt-get install libbpf-dev libelf-dev zlib1g-dev" >&2
			exit 1
		}
	done
	# See libscap-shim/libbpf_stderr.c.
	${cross}objcopy --redefine-sym stderr=libbpf_stderr "$libs/libbpf.a" "$out/shim/libbpf.a"
	${cross}gcc -O2 -g -fPIC -shared -std=gnu11 -Wall -Wextra -Werror $extra -DPROBE_OBJECT="\"$out/probe.o\"" \
		-ffunction-sections -fdata-sections -Wl,--gc-sections -Wl,-z,defs,-z,now,-z,relro,--wrap=bpf_btf_get_next_id,--wrap=bpf_prog_load -Wl,--version-script=libscap-shim/exports.map \
		-o "$target.tmp" libscap-shim/*.c libscap-shim/*.S "$out/shim/libbpf.a" "$libs/libelf.a" "$libs/libz.a"
	[ -n "${SANITIZE:-}" ] || ${cross}strip --strip-unneeded "$target.tmp"
	mv "$target.tmp" "$target"
	echo "build-driver: $target" >&2
fi
