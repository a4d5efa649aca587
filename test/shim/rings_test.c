/* SPDX-License-Identifier: Apache-2.0 */
/* Rings made by hand: order over several, records still being written, discarded ones, the end of the memory. Exits 1 at a failure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../driver/probe_abi.h"
#include "../../libscap-shim/rings.h"
#include "../../libscap-shim/shim.h"

#define SIZE 4096u
#define BUSY (1u << 31)
#define DISCARDED (1u << 30)

static int failures;

#define CHECK(...) \
	do { \
		if (!(__VA_ARGS__)) { \
			fprintf(stderr, "line %d: %s\n", __LINE__, #__VA_ARGS__); \
			failures++; \
		} \
	} while (0)

/* A ring in memory of ours; records that reach its end go on at its beginning. */
struct made {
	struct ring ring;
	uint64_t consumer, producer;
	uint8_t *data;
};

static void make(struct made *m, uint64_t start)
{
	m->data = aligned_alloc(8, SIZE + RING_TAIL);
	memset(m->data, 0xee, SIZE + RING_TAIL);
	m->consumer = m->producer = start;
	m->ring = (struct ring){.consumer = &m->consumer, .producer = &m->producer, .data = m->data, .mask = SIZE - 1, .at = start, .end = start};
}

static void put(struct made *m, uint64_t at, const void *bytes, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		m->data[(at + i) & (SIZE - 1)] = ((const uint8_t *)bytes)[i];
}

/* Adds an event of `extra` bytes beyond its header. Returns where the record lies. */
static uint64_t add(struct made *m, uint64_t ts, uint32_t tid, uint32_t extra, uint32_t bits)
{
	uint64_t at = m->producer, tid64 = tid;
	uint32_t len = PROBE_RECORD_PREFIX + PROBE_EVENT_HEADER + extra, word = len | bits, cpu = 3, event_len = PROBE_EVENT_HEADER + extra, nparams = 2;
	uint16_t type = 5;

	put(m, at, &word, 4);
	put(m, at + 8, &cpu, 4);
	put(m, at + 16, &ts, 8);
	put(m, at + 24, &tid64, 8);
	put(m, at + 32, &event_len, 4);
	put(m, at + 36, &type, 2);
	put(m, at + 38, &nparams, 4);
	for (uint32_t i = 0; i < extra; i++)
		put(m, at + 42 + i, &(uint8_t){(uint8_t)(ts + i)}, 1);
	m->producer = at + ((len + 8 + 7) & ~7u);
	return at;
}

static int32_t rows[64 * SHIM_ROW_COLUMNS];
static double times[64];
static struct ring_head heap[8];

static uint32_t take(struct made *m, uint32_t n, uint64_t limit, uint32_t max)
{
	struct ring rings[8];
	uint32_t count;

	for (uint32_t i = 0; i < n; i++) {
		ring_refresh(&m[i].ring);
		rings[i] = m[i].ring;
	}
	count = rings_merge(rings, n, heap, limit, 1000, rows, times, max);
	for (uint32_t i = 0; i < n; i++)
		m[i].ring = rings[i];
	return count;
}

/* Whether the first event of the batch has the bytes that add() gave it. */
static int is_whole(const struct made *m, uint64_t ts, uint32_t extra)
{
	const uint8_t *bytes = m[rows[SHIM_ROW_RING]].data + rows[SHIM_ROW_OFFSET] + PROBE_EVENT_HEADER;

	for (uint32_t i = 0; i < extra; i++)
		if (bytes[i] != (uint8_t)(ts + i))
			return 0;
	return 1;
}

int main(void)
{
	struct made m[3];
	uint64_t busy;
	uint32_t word, n;

	make(&m[0], 0);
	make(&m[1], SIZE - 40);
	make(&m[2], 0);
	CHECK(take(m, 3, UINT64_MAX, 64) == 0);

	/* In time order over all rings, whatever ring they are in; a record may go over the end of the memory. */
	add(&m[0], 1010, 1, 8, 0);
	add(&m[0], 1040, 2, 0, 0);
	add(&m[1], 1020, 3, 100, 0);
	add(&m[1], 1030, 4, 3, 0);
	add(&m[2], 1015, 5, 0, DISCARDED);
	add(&m[2], 1025, 6, 1, 0);
	n = take(m, 3, UINT64_MAX, 64);
	CHECK(n == 5);
	for (uint32_t i = 0; i < n; i++)
		CHECK(times[i] == (double[]){10, 20, 25, 30, 40}[i] && rows[i * SHIM_ROW_COLUMNS + SHIM_ROW_TID] == (int[]){1, 3, 6, 4, 2}[i]);
	CHECK(rows[SHIM_ROW_RING] == 0 && rows[SHIM_ROW_OFFSET] == 16 && rows[SHIM_ROW_TYPE] == 5 && rows[SHIM_ROW_NPARAMS] == 2 && rows[SHIM_ROW_CPU] == 3);
	CHECK(rows[SHIM_ROW_LENGTH] == PROBE_EVENT_HEADER + 8);
	CHECK(rows[SHIM_ROW_COLUMNS + SHIM_ROW_OFFSET] == (int32_t)SIZE - 40 + 16);

	/* Nothing is released before the next batch is asked for, then all of it. */
	CHECK(m[0].consumer == 0);
	CHECK(take(m, 3, UINT64_MAX, 64) == 0);
	CHECK(m[0].consumer == m[0].producer && m[1].consumer == m[1].producer && m[2].consumer == m[2].producer);

	/* A record that is still being written stops its ring, and only that. */
	busy = add(&m[0], 1050, 7, 0, BUSY);
	add(&m[0], 1060, 8, 0, 0);
	add(&m[1], 1055, 9, 0, 0);
	n = take(m, 3, UINT64_MAX, 64);
	CHECK(n == 1 && rows[SHIM_ROW_TID] == 9);
	word = PROBE_RECORD_PREFIX + PROBE_EVENT_HEADER;
	put(&m[0], busy, &word, 4);
	n = take(m, 3, UINT64_MAX, 64);
	CHECK(n == 2 && rows[SHIM_ROW_TID] == 7 && rows[SHIM_ROW_COLUMNS + SHIM_ROW_TID] == 8);

	/* Events younger than the limit wait; a full batch leaves the rest. */
	add(&m[0], 2000, 10, 0, 0);
	add(&m[1], 2001, 11, 0, 0);
	add(&m[2], 2002, 12, 0, 0);
	CHECK(take(m, 3, 1999, 64) == 0);
	CHECK(take(m, 3, 2000, 64) == 1 && rows[SHIM_ROW_TID] == 10);
	CHECK(take(m, 3, UINT64_MAX, 1) == 1 && rows[SHIM_ROW_TID] == 11);
	CHECK(take(m, 3, UINT64_MAX, 1) == 1 && rows[SHIM_ROW_TID] == 12);
	CHECK(take(m, 3, UINT64_MAX, 64) == 0);

	/* Many rounds through the memory. */
	for (uint32_t i = 0; i < 2000; i++) {
		add(&m[i % 3], 3000 + i, i, i % 90, i % 7 == 0 ? DISCARDED : 0);
		n = take(m, 3, UINT64_MAX, 64);
		CHECK(n == (i % 7 == 0 ? 0u : 1u) && (n == 0 || (rows[SHIM_ROW_TID] == (int32_t)i && is_whole(m, 3000 + i, i % 90))));
	}
	for (int i = 0; i < 3; i++)
		free(m[i].data);
	return failures ? 1 : 0;
}
