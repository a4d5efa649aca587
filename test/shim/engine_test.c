/* SPDX-License-Identifier: Apache-2.0 */
/* The shim against the kernel it runs on, from opening to closing, several times. Exits 1 at a failure, 77 when it cannot run. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../libscap-shim/shim.h"

#define MAX 1024
/* Codes of system calls: close, getppid. */
#define SC_CLOSE 6
#define SC_GETPPID 41
#define EV_CLOSE_X 5
#define CALLS 500

static int failures;

#define CHECK(...) \
	do { \
		if (!(__VA_ARGS__)) { \
			fprintf(stderr, "line %d: %s\n", __LINE__, #__VA_ARGS__); \
			failures++; \
		} \
	} while (0)

static char error[2048];
static int32_t rows[MAX * SHIM_ROW_COLUMNS];
static double times[MAX];

static struct shim *load(const uint32_t *options)
{
	struct shim *s = shim_open(options, error, sizeof error);
	int ready;

	if (!s)
		return NULL;
	while ((ready = shim_ready(s, error, sizeof error)) == 0)
		usleep(500);
	if (ready > 0)
		return s;
	shim_close(s);
	return NULL;
}

/* A child performs CALLS marked calls; the events of it are counted. */
static int marked(struct shim *s, int mark)
{
	int seen = 0, idle = 0;
	pid_t pid = fork();

	if (pid == 0) {
		for (int i = 0; i < CALLS; i++)
			syscall(SYS_close, mark + i);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	while (idle < 20) {
		uint32_t n = shim_next(s, rows, times, MAX, 0);

		if (n == 0) {
			idle++;
			usleep(1000);
		}
		for (uint32_t i = 0; i < n; i++) {
			const int32_t *row = rows + (size_t)i * SHIM_ROW_COLUMNS;
			uint64_t bytes;
			const uint8_t *event = (const uint8_t *)shim_ring_data(s, (uint32_t)row[SHIM_ROW_RING], &bytes) + row[SHIM_ROW_OFFSET];
			int64_t fd;

			CHECK((uint64_t)row[SHIM_ROW_OFFSET] + (uint64_t)row[SHIM_ROW_LENGTH] <= bytes);
			if (row[SHIM_ROW_TYPE] != EV_CLOSE_X || row[SHIM_ROW_TID] != pid)
				continue;
			/* Header 26, two lengths of two bytes, the result of eight. */
			memcpy(&fd, event + 26 + 4 + 8, sizeof fd);
			if (fd >= mark && fd < mark + CALLS)
				seen++;
		}
	}
	return seen;
}

int main(void)
{
	uint32_t options[SHIM_OPTIONS] = {[SHIM_ENGINE] = SHIM_MODERN_BPF, [SHIM_RING_BYTES] = 1 << 20, [SHIM_CPUS_PER_RING] = 1, [SHIM_SNAPLEN] = 80};
	uint16_t codes[2] = {SC_CLOSE, SC_GETPPID};
	uint64_t stats[SHIM_STAT_COLUMNS], bytes;

	CHECK(shim_check(99, error, sizeof error) != 0 && strstr(error, "unknown engine"));
	if (shim_check(SHIM_MODERN_BPF, error, sizeof error) != 0) {
		puts(error);
		return 77;
	}
	options[SHIM_ENGINE] = 99;
	CHECK(shim_open(options, error, sizeof error) == NULL);
	options[SHIM_ENGINE] = SHIM_MODERN_BPF;
	options[SHIM_RING_BYTES] = 12345;
	CHECK(load(options) == NULL && strstr(error, "power of two"));
	options[SHIM_RING_BYTES] = 1 << 20;

	/* Given up while it loads. */
	shim_close(shim_open(options, error, sizeof error));

	for (uint32_t per_ring = 0; per_ring < 3; per_ring++) {
		struct shim *s;

		options[SHIM_CPUS_PER_RING] = per_ring;
		s = load(options);
		if (!s) {
			fprintf(stderr, "%s\n", error);
			return 1;
		}
		CHECK(shim_missing(s, error, sizeof error) == 0);
		CHECK(shim_ring_data(s, 9999, &bytes) == NULL);
		CHECK(shim_set(s, SHIM_RING_BYTES, 1) != 0 && shim_set(s, SHIM_SNAPLEN, 200) == 0);
		shim_select(s, codes, 2);
		CHECK(shim_start(s, error, sizeof error) == 0);
		CHECK(marked(s, 0x11110000) == CALLS);
		/* Not selected: no events. */
		shim_select(s, codes + 1, 1);
		CHECK(marked(s, 0x22220000) == 0);
		shim_select(s, codes, 1);
		CHECK(marked(s, 0x33330000) == CALLS);
		shim_stats(s, -1, stats);
		CHECK(stats[SHIM_STAT_EVENTS] >= 2 * CALLS && stats[SHIM_STAT_DROPS_BUG] == 0);
		shim_stop(s);
		CHECK(marked(s, 0x44440000) == 0);
		shim_close(s);
	}

	/* Failed calls can be left out. */
	{
		struct shim *s;

		options[SHIM_DROP_FAILED] = 1;
		s = load(options);
		CHECK(s != NULL);
		shim_select(s, codes, 1);
		CHECK(shim_start(s, error, sizeof error) == 0);
		CHECK(marked(s, 0x55550000) == 0);
		shim_set(s, SHIM_DROP_FAILED, 0);
		CHECK(marked(s, 0x66660000) == CALLS);
		shim_close(s);
	}
	shim_close(NULL);
	return failures ? 1 : 0;
}
