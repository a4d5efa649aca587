#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `npm test [-- FILES…]`: set-up, build of the kernel side, then all tests (or those in the files named).
set -eu
. "$(dirname "$0")/env.sh"

sh scripts/setup.sh
if [ -f scripts/build-driver.sh ]; then sh scripts/build-driver.sh; fi
exec bun test --timeout 60000 "$@"
