// SPDX-License-Identifier: Apache-2.0
/* Reads BPF rings: records in place, merged by the time of their events. */
#include "rings.h"

#include <string.h>

#include "shim.h"

/* A record begins with a u32 length, whose top bits say what state it is in, and a u32 that only the kernel uses. */
#define RECORD_HEADER 8u
#define RECORD_BUSY (1u << 31)
#define RECORD_DISCARDED (1u << 30)

void ring_refresh(struct ring *r)
{
	/* Release: our reads of the records come before the kernel may overwrite them. */
	__atomic_store_n(r->consumer, r->at, __ATOMIC_RELEASE);
	/* Acquire: what is below the producer position has been reserved, each record's own header says if it is written. */
	r->end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
}

static uint64_t read_u64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static uint32_t read_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* Makes a record whole that begins at the end of the memory and goes on at its beginning. There is one such in a batch at most. */
static void join(struct ring *r, uint32_t size)
{
	uint64_t bytes = r->mask + 1, end = (r->at & r->mask) + size;

	if (end > bytes && end - bytes <= RING_TAIL)
		memcpy(r->data + bytes, r->data, end - bytes);
}

/* Looks at the next record of a ring. Returns 0 when there is none that is complete. */
static int peek(struct ring *r, struct ring_head *head)
{
	while (r->at < r->end) {
		const uint8_t *record = r->data + (r->at & r->mask);
		/* Acquire: pairs with the kernel's commit, the bytes of the record are there when the busy bit is gone. */
		uint32_t len = __atomic_load_n((const uint32_t *)(const void *)record, __ATOMIC_ACQUIRE);
		uint32_t size = len & ~(RECORD_BUSY | RECORD_DISCARDED);

		if (len & RECORD_BUSY)
			return 0;
		size = (size + RECORD_HEADER + 7) & ~7u;
		if (!(len & RECORD_DISCARDED)) {
			join(r, size);
			head->ts = read_u64(record + RECORD_HEADER + PROBE_RECORD_PREFIX);
			head->size = size;
			return 1;
		}
		r->at += size;
	}
	return 0;
}

/* Moves the root of the heap down to its place. */
static void sift(struct ring_head *heap, uint32_t n, uint32_t i)
{
	struct ring_head moved = heap[i];

	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= n)
			break;
		if (child + 1 < n && heap[child + 1].ts < heap[child].ts)
			child++;
		if (heap[child].ts >= moved.ts)
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = moved;
}

uint32_t rings_merge(struct ring *rings, uint32_t n, struct ring_head *heap, uint64_t limit, uint64_t base, int32_t *rows, double *times, uint32_t max)
{
	uint32_t heads = 0, count = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (!peek(&rings[i], &heap[heads]))
			continue;
		heap[heads].ring = i;
		heads++;
	}
	for (uint32_t i = heads / 2; i-- > 0;)
		sift(heap, heads, i);
	while (heads > 0 && count < max && heap[0].ts <= limit) {
		struct ring *r = &rings[heap[0].ring];
		uint64_t at = (r->at & r->mask) + RECORD_HEADER;
		const uint8_t *prefix = r->data + at;
		const uint8_t *event = prefix + PROBE_RECORD_PREFIX;
		uint32_t type_and_low = read_u32(event + 20);
		int32_t *row = rows + (size_t)count * SHIM_ROW_COLUMNS;

		row[SHIM_ROW_RING] = (int32_t)heap[0].ring;
		row[SHIM_ROW_OFFSET] = (int32_t)(at + PROBE_RECORD_PREFIX);
		row[SHIM_ROW_TYPE] = (int32_t)(type_and_low & 0xffff);
		row[SHIM_ROW_NPARAMS] = (int32_t)read_u32(event + 22);
		row[SHIM_ROW_LENGTH] = (int32_t)read_u32(event + 16);
		row[SHIM_ROW_CPU] = (int32_t)read_u32(prefix);
		row[SHIM_ROW_TID] = (int32_t)read_u32(event + 8);
		times[count] = (double)(int64_t)(heap[0].ts - base);
		count++;
		r->at += heap[0].size;
		if (!peek(r, &heap[0]))
			heap[0] = heap[--heads];
		if (heads > 1)
			sift(heap, heads, 0);
	}
	return count;
}
