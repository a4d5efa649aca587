# SPDX-License-Identifier: Apache-2.0
# Sourced by the other scripts: goes to the repository's root and puts the project's own programs first in the path.
cd "$(dirname "$0")/.." || exit 1
PATH="$PWD/node_modules/.bin:$PATH"
export PATH

# say TEXT…: progress goes to stderr, results alone to stdout.
say() {
  printf '%s\n' "$*" >&2
}
