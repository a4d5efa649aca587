/* SPDX-License-Identifier: Apache-2.0 */
/* Which programs of the probe are loaded, and as what. */
#ifndef FALCO_SHIM_PROGRAMS_H
#define FALCO_SHIM_PROGRAMS_H

#include <stdint.h>

struct bpf_object;
struct bpf_program;

/* Makes libbpf know the sections of the programs that others call, and learns what the kernel is like. 0, or -errno. */
int programs_prepare(void);

/* Whether a program on a bare tracepoint can lose its CPU on this kernel. */
int programs_preemptible(void);

/*
 * Before an object is loaded: of every pair of programs takes the one on the perf event or the one on the bare tracepoint, and types
 * what they call alike. Leaves out those that SHIM_TP_* bits stand for which are not among `tracepoints`.
 */
void programs_choose(struct bpf_object *object, int by_perf, uint32_t tracepoints);

/* The program that was taken for a tracepoint, such as "sys_exit"; NULL when none was. */
struct bpf_program *programs_find(struct bpf_object *object, const char *tracepoint);

/* Names of the tracepoints, other than those of calls, whose programs may be attached, one after the other; NULL at the end. */
const char *programs_tracepoint(uint32_t i);

#endif
