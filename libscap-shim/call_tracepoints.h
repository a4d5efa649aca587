/* SPDX-License-Identifier: Apache-2.0 */
/* Tracepoints of single system calls. */
#ifndef FALCO_SHIM_CALL_TRACEPOINTS_H
#define FALCO_SHIM_CALL_TRACEPOINTS_H

#include <stdint.h>

struct bpf_link;
struct bpf_program;

/* Directory of the tracepoints of all calls; -1 when this machine, or what we may do, has none. */
int call_tracepoints_open(void);

/* Attaches a program to where the call begins; NULL when that does not work. */
struct bpf_link *call_tracepoint_attach(int calls, const char *call, struct bpf_program *program);

#endif
