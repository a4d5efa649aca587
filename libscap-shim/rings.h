/* SPDX-License-Identifier: Apache-2.0 */
/* Rings that a probe fills, read in time order. */
#ifndef FALCO_SHIM_RINGS_H
#define FALCO_SHIM_RINGS_H

#include <stddef.h>
#include <stdint.h>

#include "../driver/probe_abi.h"

/* Room for the largest record. */
#define RING_TAIL (PROBE_EVENT_MAX + 1 + 64)

struct ring {
	/* Written by us: how far we have read. */
	uint64_t *consumer;
	/* Written by the kernel: how far records reach. */
	const uint64_t *producer;
	/* Records, `mask` + 1 bytes, and behind them RING_TAIL bytes of our own: what of a record lies at the beginning again is copied there. */
	uint8_t *data;
	uint64_t mask;
	/* Next record to look at, and end of what was there when the batch began. */
	uint64_t at, end;
};

/* The head record of a ring, in the heap of rings by time. */
struct ring_head {
	uint64_t ts;
	uint32_t ring;
	uint32_t size;
};

/* Tells the kernel that everything read so far may be overwritten, and looks how far it has written. */
void ring_refresh(struct ring *r);

/*
 * Merges `n` rings by time; `heap` has room for `n`. Events up to `limit` (their own clock) are written to `rows` and `times`
 * as shim_next describes. Returns how many.
 */
uint32_t rings_merge(struct ring *rings, uint32_t n, struct ring_head *heap, uint64_t limit, uint64_t base, int32_t *rows, double *times, uint32_t max);

#endif
