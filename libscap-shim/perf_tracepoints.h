/* SPDX-License-Identifier: Apache-2.0 */
/* Programs on the perf events of tracepoints. */
#ifndef FALCO_SHIM_PERF_TRACEPOINTS_H
#define FALCO_SHIM_PERF_TRACEPOINTS_H

struct bpf_link;
struct bpf_program;

/* Directory of the tracepoints; -1 when this machine, or what we may do, has none. */
int perf_tracepoints_open(void);

/* Attaches a program to the tracepoint that its section names; NULL, and a reason in errno, when that does not work. */
struct bpf_link *perf_tracepoint_attach(int events, const struct bpf_program *program);

#endif
