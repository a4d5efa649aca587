#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes a machine ready: npm packages, the pinned Bun, and the Debian packages that the kernel side is built with.
# May be run again at any time; says what it installs and is silent when nothing is missing.
set -eu
. "$(dirname "$0")/env.sh"

# What the build needs beyond npm: one "probe package" pair a line. A probe is a program or an absolute path of a header.
needs='
clang clang
llvm-strip llvm
gcc gcc
objcopy binutils
/usr/include/stdio.h libc6-dev
/usr/include/linux/bpf.h linux-libc-dev
/usr/include/bpf/libbpf.h libbpf-dev
/usr/include/libelf.h libelf-dev
/usr/include/zlib.h zlib1g-dev
'

missing_packages() {
  printf '%s' "$needs" | while read -r probe package; do
    case $probe in
      '') ;;
      /*) [ -e "$probe" ] || printf ' %s' "$package" ;;
      *) command -v "$probe" >/dev/null 2>&1 || printf ' %s' "$package" ;;
    esac
  done
}

install_packages() {
  packages=$(missing_packages)
  [ -n "$packages" ] || return 0
  if ! command -v apt-get >/dev/null 2>&1; then
    say "setup: these are missing (Debian's package names):$packages"
    say "setup: this system has no apt-get; install them with its own package manager and start again"
    exit 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    say "setup: Debian packages are missing and only root can install them. Run this, then start again:"
    say "  sudo apt-get update && sudo apt-get install -y --no-install-recommends$packages"
    exit 1
  fi
  say "setup: installing Debian packages:$packages"
  apt-get update -qq >&2
  # shellcheck disable=SC2086 # one word per package
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >&2
  packages=$(missing_packages)
  if [ -n "$packages" ]; then
    say "setup: still missing after the installation:$packages"
    exit 1
  fi
}

# The version of Bun that package.json pins.
pinned_bun() {
  sed -n 's/^ *"bun": "\([0-9.]*\)".*/\1/p' package.json
}

bun_works() {
  [ "$("$1" --version 2>/dev/null)" = "$(pinned_bun)" ]
}

# npm does not run Bun's own install step unless it is told to, and that step may download: link the program that came
# inside the platform's package to the place where the step would have put it.
link_bun() {
  target=node_modules/bun/bin/bun.exe
  bun_works "$target" && return 0
  for found in node_modules/@oven/bun-*/bin/bun; do
    [ -f "$found" ] && bun_works "$found" || continue
    ln -f "$found" "$target" 2>/dev/null || { rm -f "$target" && cp "$found" "$target"; }
    return 0
  done
  say "setup: no Bun $(pinned_bun) that runs on this machine ($(uname -sm)) came with the npm packages"
  exit 1
}

install_modules() {
  stamp=node_modules/.setup-stamp
  want=$(cksum <package-lock.json)
  if [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && bun_works node_modules/bun/bin/bun.exe; then return 0; fi
  if command -v npm >/dev/null 2>&1; then
    say "setup: installing npm packages (npm ci)"
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
  elif command -v bun >/dev/null 2>&1; then
    say "setup: installing npm packages (bun install)"
    bun install --no-save --ignore-scripts >&2
  else
    say "setup: neither npm nor bun was found; install Node.js with npm (Debian: apt-get install nodejs npm) or Bun"
    exit 1
  fi
  link_bun
  printf '%s\n' "$want" >"$stamp"
}

install_modules
install_packages
