#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `npm start`: set-up, build, then the main job on what the program carries with it.
set -eu
. "$(dirname "$0")/env.sh"

sh scripts/build.sh
say "start: rules over a recorded intrusion: falco replay -e captures/attack.scap.gz"
exec dist/falco replay -e captures/attack.scap.gz "$@"
