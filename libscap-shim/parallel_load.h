/* SPDX-License-Identifier: Apache-2.0 */
/* Loading of an object's programs by several threads. */
#ifndef FALCO_SHIM_PARALLEL_LOAD_H
#define FALCO_SHIM_PARALLEL_LOAD_H

#include <stddef.h>

struct parallel_load;

/*
 * From here on the programs that this thread has libbpf load are handed to other threads, and libbpf gets descriptors for them that
 * hold nothing yet. NULL when there is no memory: programs are loaded one after the other then.
 */
struct parallel_load *parallel_load_begin(void);

/*
 * Waits until all are loaded; the descriptors are those of the programs then, unless libbpf has given them up (`kept` is 0). 0, or the error of a program that the kernel refused:
 * its name, and the last of what the kernel said about it, are written to `said` in the way libbpf says it.
 */
int parallel_load_end(struct parallel_load *load, int kept, char *said, size_t size);

#endif
