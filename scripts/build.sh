#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds dist/falco, one executable that needs nothing else: kernel side first, then the program around it.
set -eu
. "$(dirname "$0")/env.sh"

sh scripts/setup.sh
if [ -f scripts/build-driver.sh ]; then sh scripts/build-driver.sh; fi
bun scripts/build.ts "$@"
