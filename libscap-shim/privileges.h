/* SPDX-License-Identifier: Apache-2.0 */
/* What this process may do: reasons for refusals, and giving up what is no longer needed. */
#ifndef FALCO_SHIM_PRIVILEGES_H
#define FALCO_SHIM_PRIVILEGES_H

#include <stdint.h>

/*
 * Writes why the kernel refuses eBPF to us, when `errno_value` came from trying. Returns 0 when there is nothing to say beyond
 * the error itself.
 */
int privileges_explain(int errno_value, char *error, uint32_t size);

/* Kernels before 5.11 count BPF memory against the limit of locked memory: raises it as far as we may. */
void privileges_raise_memlock(void);

#endif
