// SPDX-License-Identifier: Apache-2.0
// The set-user-id helper of the recorded intrusion: runs its arguments as root.
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 2 || setgid(0) != 0 || setuid(0) != 0) return 1;
  execvp(argv[1], argv + 1);
  return 1;
}
