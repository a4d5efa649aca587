/* SPDX-License-Identifier: Apache-2.0 */
/* Loading and steering of the modern eBPF probe. */
#ifndef FALCO_SHIM_MODERN_BPF_H
#define FALCO_SHIM_MODERN_BPF_H

#include <stdint.h>

#include "../driver/probe_abi.h"
#include "rings.h"

struct bpf_link;
struct bpf_object;
struct bpf_program;

#define MODERN_LINKS 16

struct modern_bpf {
	struct bpf_object *object;
	/* Shared with the probe. */
	struct probe_settings *settings;
	uint64_t settings_bytes;
	const uint8_t *counters;
	uint64_t counters_bytes;
	uint32_t counter_stride;
	uint32_t cpus;
	int *ring_fds;
	struct ring *rings;
	uint32_t n_rings;
	uint64_t ring_bytes;
	struct bpf_link *links[MODERN_LINKS];
	uint32_t n_links;
	/* The programs that were attached; they stay when their links are gone. */
	struct bpf_program *attached[MODERN_LINKS];
	uint32_t n_attached;
	/* Directory of the perf events of tracepoints, or -1; whether programs that are there twice hang on them. */
	int events, by_perf;
	/* The requested SHIM_TP_* and whether enter events are wanted. */
	uint32_t tracepoints, enter_hooks;
	/* Names of programs the kernel refused, separated by blanks, with a blank at either end. */
	char missing[1024];
	uint32_t n_missing;
};

int modern_check(char *error, uint32_t size);
int modern_open(struct modern_bpf *m, const uint32_t *options, char *error, uint32_t size);
void modern_select(struct modern_bpf *m, const uint16_t *codes, uint32_t n);
int modern_start(struct modern_bpf *m, char *error, uint32_t size);
void modern_stop(struct modern_bpf *m);
/* Calls at which the kernel left a program out, wanted or not: see the definition. */
uint64_t modern_missed(const struct modern_bpf *m);
void modern_close(struct modern_bpf *m);

#endif
