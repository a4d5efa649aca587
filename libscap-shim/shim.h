/* SPDX-License-Identifier: Apache-2.0 */
/* The C interface between lib/scap/shim.ts and the capture engines. */
#ifndef FALCO_SHIM_H
#define FALCO_SHIM_H

#include <stdint.h>

struct shim;

/* Indexes into the options of shim_open; every option is a u32. */
enum shim_option {
	SHIM_ENGINE,		/* SHIM_MODERN_BPF */
	SHIM_RING_BYTES,	/* size of each ring, a power of two and a multiple of the page size */
	SHIM_CPUS_PER_RING,	/* CPUs that share a ring; 0: one ring for all */
	SHIM_SNAPLEN,		/* bytes kept of a data buffer */
	SHIM_DYNAMIC_SNAPLEN,	/* 1: known protocols are kept longer */
	SHIM_FULLCAPTURE_FIRST, /* ports whose traffic is kept longer still; 0, 0 none */
	SHIM_FULLCAPTURE_LAST,
	SHIM_STATSD_PORT,
	SHIM_DROP_FAILED, /* 1: failed calls give no event */
	SHIM_EXCLUDE_SELF, /* 1: the calls of this process are left out */
	SHIM_TRACEPOINTS, /* bits: SHIM_TP_* */
	SHIM_SAMPLING,	  /* 0, or the divisor of dropping mode */
	SHIM_ENTER_HOOKS, /* SHIM_ENTER_*: whether open*, creat and connect also give an enter event */
	SHIM_PERF_CALLS,  /* 1: calls are seen through perf events, as on Linux 7; for tests on older ones */
	SHIM_OPTIONS
};

enum shim_engine { SHIM_MODERN_BPF = 1 };

/*
 * Calls that are not traced do not pay for the enter events of native ones, where the kernel's tracing file system can be read. To
 * have those of 32-bit calls too costs every call of every process.
 */
enum shim_enter { SHIM_ENTER_NONE, SHIM_ENTER_NATIVE, SHIM_ENTER_ALL };

/* Tracepoints other than system calls. */
enum shim_tracepoint {
	SHIM_TP_PROC_EXIT = 1,
	SHIM_TP_SWITCH = 2,
	SHIM_TP_SIGNAL = 4,
	SHIM_TP_FAULT_USER = 8,
	SHIM_TP_FAULT_KERNEL = 16,
};

/* Columns of a row of shim_next; every column is an i32. */
enum shim_row {
	SHIM_ROW_RING,
	SHIM_ROW_OFFSET, /* of the event header in the data of the ring */
	SHIM_ROW_TYPE,
	SHIM_ROW_NPARAMS,
	SHIM_ROW_LENGTH,
	SHIM_ROW_CPU,
	SHIM_ROW_TID,
	SHIM_ROW_COLUMNS = 8
};

/* Columns of shim_stats; every column is a u64. */
enum shim_stat {
	SHIM_STAT_EVENTS,
	SHIM_STAT_DROPS, /* then one column per kind, in the order of enum probe_drop */
	SHIM_STAT_DROPS_MAX_SIZE = SHIM_STAT_DROPS + 12,
	SHIM_STAT_DROPS_BUG,
	SHIM_STAT_PREEMPTIONS,
	SHIM_STAT_COLUMNS = 16
};

/*
 * Says whether the engine can run here. 0: yes. Otherwise a sentence that names what is missing is written to `error`.
 * All functions that take `error` write at most `size` bytes with the NUL.
 */
int shim_check(uint32_t engine, char *error, uint32_t size);

/*
 * Begins to load the engine's probe, on a thread of its own: the kernel takes a quarter of a second to check it, which the caller
 * can use. Nothing is captured yet. Returns the handle, or NULL and a sentence in `error`.
 */
struct shim *shim_open(const uint32_t *options, char *error, uint32_t size);

/*
 * Whether loading is done. 1: the handle can be used; 0: not yet; -1: it failed, the sentence is in `error` and the handle is good
 * for shim_close only. No other function may be called before it has returned 1.
 */
int shim_ready(struct shim *s, char *error, uint32_t size);

/*
 * Names of the probe's programs that this kernel refused, separated by blanks, to `names`; the events they make are missing.
 * Returns how many there are.
 */
uint32_t shim_missing(struct shim *s, char *names, uint32_t size);

/* Switches the wanted system calls: exactly those whose code is among `codes`. Before and after shim_start. */
int shim_select(struct shim *s, const uint16_t *codes, uint32_t n);

/* Changes one of SHIM_SNAPLEN, SHIM_DYNAMIC_SNAPLEN, SHIM_FULLCAPTURE_*, SHIM_STATSD_PORT, SHIM_DROP_FAILED, SHIM_SAMPLING. */
int shim_set(struct shim *s, uint32_t option, uint32_t value);

/* Attaches the probe: events come from here on. */
int shim_start(struct shim *s, char *error, uint32_t size);

/* Detaches it; what is in the rings can still be read. */
void shim_stop(struct shim *s);

uint32_t shim_ring_count(struct shim *s);

/* Address of the data of a ring, for the rows' offsets; `*bytes` is its readable length. */
void *shim_ring_data(struct shim *s, uint32_t ring, uint64_t *bytes);

/* ns since the epoch that the times of shim_next count from. */
uint64_t shim_base_time(struct shim *s);

/* The events' clock now, in ns since the base time. */
double shim_now(struct shim *s);

/*
 * Releases the events of the last batch and finds the next ones, in time order over all rings. Writes one row per event to
 * `rows` and its time, in ns since the base time, to `times`. Events younger than `holdback` ns stay for the next call, so that
 * an earlier one that is still being written on another CPU is not overtaken. Returns the number of events, at most `max`.
 */
uint32_t shim_next(struct shim *s, int32_t *rows, double *times, uint32_t max, uint32_t holdback);

/* Sums the counters of all CPUs into `stats` (SHIM_STAT_COLUMNS); with `cpu` ≥ 0 only those of one CPU. */
void shim_stats(struct shim *s, int32_t cpu, uint64_t *stats);

/* What there is to iterate over. */
enum shim_iterate { SHIM_ITERATE_TASKS, SHIM_ITERATE_FILES };

/*
 * Begins to read what is on the machine, a record per task or open file: see driver/modern_bpf/iterators.h. Returns a number for
 * shim_iterate_next and shim_iterate_end; -1 and a sentence in `error` when the kernel cannot, or does not let us.
 */
int shim_iterate(struct shim *s, uint32_t which, char *error, uint32_t size);

/* Puts the next whole records into `records`, of at least 32 pages. Returns their bytes; 0 at the end, -1 when reading failed. */
int32_t shim_iterate_next(int iteration, uint8_t *records, uint32_t size);

void shim_iterate_end(int iteration);

void shim_close(struct shim *s);

/*
 * Gives up, in all threads of this process, every capability that is not in the mask, and all inheritable and ambient ones.
 * An open engine goes on working. 0: done; otherwise a sentence in `error`.
 */
int shim_drop_privileges(uint32_t keep_low, uint32_t keep_high, char *error, uint32_t size);

/*
 * Drops the pages of programs and libraries that are in memory as they are in their files: most were needed to start only, and
 * those that are needed again come back from the cache of files. Returns the bytes that were resident.
 */
uint64_t shim_release_memory(void);

#endif
