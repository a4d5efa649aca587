/* SPDX-License-Identifier: Apache-2.0 */
/* Reading of the probe's iterators. */
#ifndef FALCO_SHIM_ITERATORS_H
#define FALCO_SHIM_ITERATORS_H

#include <stdint.h>

struct bpf_object;

/* Before loading: leaves the iterators out where the kernel is too old for them. */
void iterators_choose(struct bpf_object *object);

/* Begins an iteration (SHIM_ITERATE_*): a file descriptor to read from, or -1 and errno. */
int iterator_open(struct bpf_object *object, uint32_t which);

/* The next whole records, at least eight pages if there is so much left. Returns their bytes, 0 at the end, -1 and errno. */
int32_t iterator_read(int fd, uint8_t *to, uint32_t size);

#endif
