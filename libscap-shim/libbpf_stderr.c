// SPDX-License-Identifier: Apache-2.0
/* Debian's static libbpf reads `stderr` in a way only an executable can; the build renames it to this variable. */
#include <stdio.h>

extern FILE *libbpf_stderr __attribute__((visibility("hidden")));
FILE *libbpf_stderr;
