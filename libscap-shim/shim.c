// SPDX-License-Identifier: Apache-2.0
/* The C interface: hands calls on to the engine and its rings. */
#include "shim.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "iterators.h"
#include "modern_bpf.h"

/* Pieces of memory from this size on are given back at once when they are freed. */
#define MMAP_BYTES (128 * 1024)

struct shim {
	struct modern_bpf modern;
	struct ring_head *heap;
	uint64_t base;
	uint32_t options[SHIM_OPTIONS];
	/* The thread that loads the probe, and what came of it: 0 not yet, 1 ready, -1 failed. */
	pthread_t loader;
	int joined;
	int state;
	char error[2048];
};

int shim_check(uint32_t engine, char *error, uint32_t size)
{
	if (engine == SHIM_MODERN_BPF)
		return modern_check(error, size);
	snprintf(error, size, "unknown engine %u", engine);
	return -1;
}

static int load(struct shim *s)
{
	if (modern_open(&s->modern, s->options, s->error, sizeof s->error) != 0)
		return -1;
	s->heap = calloc(s->modern.n_rings, sizeof *s->heap);
	if (!s->heap) {
		snprintf(s->error, sizeof s->error, "out of memory");
		return -1;
	}
	for (uint32_t o = SHIM_SNAPLEN; o < SHIM_OPTIONS; o++)
		shim_set(s, o, s->options[o]);
	return 1;
}

static void *loader(void *arg)
{
	struct shim *s = arg;

	__atomic_store_n(&s->state, load(s), __ATOMIC_RELEASE);
	return NULL;
}

struct shim *shim_open(const uint32_t *options, char *error, uint32_t size)
{
	struct shim *s;
	int e;

	if (options[SHIM_ENGINE] != SHIM_MODERN_BPF) {
		snprintf(error, size, "unknown engine %u", options[SHIM_ENGINE]);
		return NULL;
	}
	/* Said, it stays: else what loading frees (ten megabytes) is kept, for the C library learns to expect it again. */
	mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
	s = calloc(1, sizeof *s);
	if (!s) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	memcpy(s->options, options, sizeof s->options);
	e = pthread_create(&s->loader, NULL, loader, s);
	if (e != 0) {
		snprintf(error, size, "cannot start a thread: %s", strerror(e));
		free(s);
		return NULL;
	}
	return s;
}

int shim_ready(struct shim *s, char *error, uint32_t size)
{
	int state = __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);

	if (state != 0 && !s->joined) {
		pthread_join(s->loader, NULL);
		s->joined = 1;
	}
	if (state < 0)
		snprintf(error, size, "%s", s->error);
	return state;
}

uint32_t shim_missing(struct shim *s, char *names, uint32_t size)
{
	snprintf(names, size, "%s", s->modern.missing);
	return s->modern.n_missing;
}

int shim_select(struct shim *s, const uint16_t *codes, uint32_t n)
{
	modern_select(&s->modern, codes, n);
	return 0;
}

int shim_set(struct shim *s, uint32_t option, uint32_t value)
{
	struct probe_settings *settings = s->modern.settings;

	switch (option) {
	case SHIM_SNAPLEN:
		settings->snaplen = value;
		return 0;
	case SHIM_DYNAMIC_SNAPLEN:
		settings->dynamic_snaplen = value != 0;
		return 0;
	case SHIM_FULLCAPTURE_FIRST:
		settings->fullcapture_first = (unsigned short)value;
		return 0;
	case SHIM_FULLCAPTURE_LAST:
		settings->fullcapture_last = (unsigned short)value;
		return 0;
	case SHIM_STATSD_PORT:
		settings->statsd_port = (unsigned short)value;
		return 0;
	case SHIM_DROP_FAILED:
		settings->drop_failed = value != 0;
		return 0;
	case SHIM_SAMPLING:
		settings->sampling = value;
		return 0;
	default:
		return -1;
	}
}

static uint64_t boot_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int shim_start(struct shim *s, char *error, uint32_t size)
{
	s->base = s->modern.settings->boot_time + boot_clock();
	return modern_start(&s->modern, error, size);
}

void shim_stop(struct shim *s)
{
	modern_stop(&s->modern);
}

uint32_t shim_ring_count(struct shim *s)
{
	return s->modern.n_rings;
}

void *shim_ring_data(struct shim *s, uint32_t ring, uint64_t *bytes)
{
	if (ring >= s->modern.n_rings)
		return NULL;
	*bytes = s->modern.ring_bytes + RING_TAIL;
	return s->modern.rings[ring].data;
}

uint64_t shim_base_time(struct shim *s)
{
	return s->base;
}

double shim_now(struct shim *s)
{
	return (double)(int64_t)(s->modern.settings->boot_time + boot_clock() - s->base);
}

uint32_t shim_next(struct shim *s, int32_t *rows, double *times, uint32_t max, uint32_t holdback)
{
	struct modern_bpf *m = &s->modern;
	/* The clock is read before the rings are looked at: what is in them later is not meant. */
	uint64_t limit = holdback > 0 ? m->settings->boot_time + boot_clock() - holdback : UINT64_MAX;

	for (uint32_t i = 0; i < m->n_rings; i++)
		ring_refresh(&m->rings[i]);
	return rings_merge(m->rings, m->n_rings, s->heap, limit, s->base, rows, times, max);
}

void shim_stats(struct shim *s, int32_t cpu, uint64_t *stats)
{
	const struct modern_bpf *m = &s->modern;

	memset(stats, 0, SHIM_STAT_COLUMNS * sizeof *stats);
	for (uint32_t i = 0; i < m->cpus; i++) {
		const struct probe_counters *c = (const void *)(m->counters + (size_t)i * m->counter_stride);

		if (cpu >= 0 && (uint32_t)cpu != i)
			continue;
		stats[SHIM_STAT_EVENTS] += c->events;
		for (int k = 0; k < PROBE_DROP_KINDS; k++)
			stats[SHIM_STAT_DROPS + k] += c->drops[k];
		stats[SHIM_STAT_DROPS_MAX_SIZE] += c->drops_max_size;
		stats[SHIM_STAT_DROPS_BUG] += c->drops_bug;
		stats[SHIM_STAT_PREEMPTIONS] += c->preemptions;
	}
	/* The kernel does not say of which CPU. */
	if (cpu < 0)
		stats[SHIM_STAT_PREEMPTIONS] += modern_missed(m);
}

_Static_assert(SHIM_STAT_DROPS_MAX_SIZE == SHIM_STAT_DROPS + PROBE_DROP_KINDS, "one column per kind of drop");

int shim_iterate(struct shim *s, uint32_t which, char *error, uint32_t size)
{
	int fd = iterator_open(s->modern.object, which);

	if (fd < 0)
		snprintf(error, size, "%s", errno == EOPNOTSUPP ? "this kernel has no iterators that serve" : strerror(errno));
	return fd;
}

int32_t shim_iterate_next(int fd, uint8_t *records, uint32_t size)
{
	return iterator_read(fd, records, size);
}

void shim_iterate_end(int fd)
{
	close(fd);
}

void shim_close(struct shim *s)
{
	if (!s)
		return;
	if (!s->joined)
		pthread_join(s->loader, NULL);
	modern_close(&s->modern);
	free(s->heap);
	free(s);
}
