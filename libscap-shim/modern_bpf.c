// SPDX-License-Identifier: Apache-2.0
/* Loads the modern eBPF probe, gives it rings and settings, attaches it. */
#include "modern_bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "../driver/generated/slots.h"
#include "iterators.h"
#include "parallel_load.h"
#include "perf_tracepoints.h"
#include "privileges.h"
#include "programs.h"
#include "shim.h"

/* The compiled probe, see probe_object.S. */
extern const uint8_t probe_object[], probe_object_end[];

#define VMLINUX_BTF "/sys/kernel/btf/vmlinux"
/* As in driver/modern_bpf/accessors.h: scratch of a CPU. */
#define SCRATCH_KINDS 2
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What libbpf said last; the verifier's reason is in here when a program is refused. */
static char libbpf_said[4096];

static int keep_message(enum libbpf_print_level level, const char *format, va_list args)
{
	size_t used = strlen(libbpf_said);

	if (level > LIBBPF_WARN)
		return 0;
	if (used > sizeof libbpf_said / 2) {
		memmove(libbpf_said, libbpf_said + used / 2, used - used / 2 + 1);
		used = strlen(libbpf_said);
	}
	vsnprintf(libbpf_said + used, sizeof libbpf_said - used, format, args);
	return 0;
}

__attribute__((format(printf, 3, 4))) static int fail(char *error, uint32_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, size, format, args);
	va_end(args);
	return -1;
}

/* Appends the last lines of what libbpf said, on one line. */
static void add_reason(char *error, uint32_t size)
{
	size_t used = strlen(error), said = strlen(libbpf_said);
	const char *from = libbpf_said;

	if (said == 0 || used + 8 >= size)
		return;
	if (said > size - used - 8)
		from += said - (size - used - 8);
	snprintf(error + used, size - used, " (%s", from);
	for (char *p = error + used; *p; p++)
		if (*p == '\n')
			*p = ';';
	used = strlen(error);
	while (used > 0 && (error[used - 1] == ';' || error[used - 1] == ' '))
		error[--used] = 0;
	snprintf(error + used, size - used, ")");
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Epoch time of CLOCK_BOOTTIME 0. The pair of readings taken in the shortest time is the truest. */
static uint64_t boot_time(void)
{
	uint64_t best = UINT64_MAX, boot = 0;

	for (int i = 0; i < 16; i++) {
		uint64_t before = clock_ns(CLOCK_BOOTTIME), real = clock_ns(CLOCK_REALTIME), after = clock_ns(CLOCK_BOOTTIME);

		if (after - before >= best)
			continue;
		best = after - before;
		boot = real - (before + best / 2);
	}
	return boot;
}

int modern_check(char *error, uint32_t size)
{
	struct utsname u;
	int fd;

	libbpf_set_print(keep_message);
	privileges_raise_memlock();
	if (access(VMLINUX_BTF, R_OK) != 0) {
		uname(&u);
		return fail(error, size, "kernel %s has no type information at " VMLINUX_BTF " (it is built with CONFIG_DEBUG_INFO_BTF)", u.release);
	}
	fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "falco_check", 0, 0, (uint32_t)sysconf(_SC_PAGESIZE), NULL);
	if (fd < 0) {
		int e = errno;

		uname(&u);
		if (privileges_explain(e, error, size))
			return -1;
		if (e == ENOSYS)
			return fail(error, size, "kernel %s has no eBPF", u.release);
		return fail(error, size, "kernel %s cannot create a BPF ring buffer (%s); it takes Linux 5.8 or newer", u.release, strerror(e));
	}
	close(fd);
	return 0;
}

static struct bpf_map *find_map(struct bpf_object *o, const char *suffix)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, o)
	{
		const char *name = bpf_map__name(map);
		size_t n = strlen(name), k = strlen(suffix);

		if (n >= k && strcmp(name + n - k, suffix) == 0)
			return map;
	}
	return NULL;
}

static int create_rings(struct modern_bpf *m, uint32_t ring_bytes, uint32_t cpus_per_ring, char *error, uint32_t size)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	if (cpus_per_ring == 0 || cpus_per_ring > m->cpus)
		cpus_per_ring = m->cpus;
	m->n_rings = (m->cpus + cpus_per_ring - 1) / cpus_per_ring;
	m->ring_bytes = ring_bytes;
	m->rings = calloc(m->n_rings, sizeof *m->rings);
	m->ring_fds = malloc(m->n_rings * sizeof *m->ring_fds);
	if (!m->rings || !m->ring_fds)
		return fail(error, size, "out of memory");
	for (uint32_t i = 0; i < m->n_rings; i++)
		m->ring_fds[i] = -1;
	for (uint32_t i = 0; i < m->n_rings; i++) {
		struct ring *r = &m->rings[i];
		void *p;
		int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "falco_ring", 0, 0, ring_bytes, NULL);

		if (fd < 0)
			return fail(error, size, "cannot create ring %u of %u bytes: %s", i, ring_bytes, strerror(errno));
		m->ring_fds[i] = fd;
		p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (p == MAP_FAILED)
			return fail(error, size, "cannot map ring %u: %s", i, strerror(errno));
		r->consumer = p;
		/* The kernel's memory, and ours right behind it. */
		p = mmap(NULL, page + ring_bytes + RING_TAIL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			return fail(error, size, "cannot map ring %u: %s", i, strerror(errno));
		r->producer = p;
		r->data = (uint8_t *)p + page;
		p = mmap(p, page + ring_bytes, PROT_READ, MAP_SHARED | MAP_FIXED, fd, (off_t)page);
		if (p == MAP_FAILED)
			return fail(error, size, "cannot map ring %u: %s", i, strerror(errno));
		r->mask = ring_bytes - 1;
	}
	return 0;
}

/*
 * Changes a map of maps, in one go where the kernel can: after every change it waits until no program can have an old map in hand, ten
 * milliseconds and more. Returns 0, or -1 and errno.
 */
static int update_maps(int map, const uint32_t *keys, const int *fds, uint32_t n)
{
	uint32_t done = n;

	if (bpf_map_update_batch(map, keys, fds, &done, NULL) == 0)
		return 0;
	for (uint32_t i = 0; i < n; i++)
		if (bpf_map_update_elem(map, &keys[i], &fds[i], BPF_ANY) != 0)
			return -1;
	return 0;
}

/* Enters the ring of every CPU. Returns 0, or -1 and errno. */
static int give_rings(const struct modern_bpf *m, int map, uint32_t cpus_per_ring)
{
	uint32_t *keys = calloc(m->cpus, sizeof *keys);
	int *fds = calloc(m->cpus, sizeof *fds), result = -1;

	if (keys && fds) {
		for (uint32_t cpu = 0; cpu < m->cpus; cpu++) {
			keys[cpu] = cpu;
			fds[cpu] = m->ring_fds[cpu / cpus_per_ring];
		}
		result = update_maps(map, keys, fds, m->cpus);
	}
	free(keys);
	free(fds);
	return result;
}

static int fill_maps(struct modern_bpf *m, uint32_t cpus_per_ring, char *error, uint32_t size)
{
	int exits = bpf_map__fd(find_map(m->object, "exit_programs"));
	int enters = bpf_map__fd(find_map(m->object, "enter_programs"));

	if (cpus_per_ring == 0 || cpus_per_ring > m->cpus)
		cpus_per_ring = m->cpus;
	if (give_rings(m, bpf_map__fd(find_map(m->object, "rings")), cpus_per_ring) != 0)
		return fail(error, size, "cannot give the CPUs their rings: %s", strerror(errno));
	for (size_t i = 0; i < COUNT(probe_slots); i++) {
		const struct probe_slot *slot = &probe_slots[i];
		uint32_t key = slot->slot;
		struct {
			const char *name;
			int table;
		} wanted[2] = {{slot->exit_program, exits}, {slot->enter_program, enters}};

		for (size_t k = 0; k < COUNT(wanted); k++) {
			struct bpf_program *p;
			int fd;

			if (!wanted[k].name)
				continue;
			p = bpf_object__find_program_by_name(m->object, wanted[k].name);
			if (!p)
				return fail(error, size, "the probe has no program %s", wanted[k].name);
			if (!bpf_program__autoload(p))
				continue;
			fd = bpf_program__fd(p);
			if (bpf_map_update_elem(wanted[k].table, &key, &fd, BPF_ANY) != 0)
				return fail(error, size, "cannot enter %s as slot %u: %s", wanted[k].name, key, strerror(errno));
		}
	}
	return 0;
}

/* Maps what the probe and we share: its settings, and the counters of all CPUs. */
static int map_shared(struct modern_bpf *m, char *error, uint32_t size)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	void *p;

	m->settings_bytes = (sizeof(struct probe_settings) + page - 1) & ~(page - 1);
	p = mmap(NULL, m->settings_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(find_map(m->object, ".bss")), 0);
	if (p == MAP_FAILED)
		return fail(error, size, "cannot map the probe's settings: %s", strerror(errno));
	m->settings = p;
	m->counter_stride = (sizeof(struct probe_counters) + 7) & ~7u;
	m->counters_bytes = ((uint64_t)m->counter_stride * m->cpus + page - 1) & ~(page - 1);
	p = mmap(NULL, m->counters_bytes, PROT_READ, MAP_SHARED, bpf_map__fd(find_map(m->object, "counters")), 0);
	if (p == MAP_FAILED)
		return fail(error, size, "cannot map the probe's counters: %s", strerror(errno));
	m->counters = p;
	return 0;
}

/* Programs without which there is no capture. */
static int is_vital(const char *name)
{
	static const char *const vital[] = {"on_sys_exit", "on_sys_enter", "perf_sys_exit", "perf_sys_enter", "x_GENERIC_X"};

	for (size_t i = 0; i < COUNT(vital); i++)
		if (strcmp(name, vital[i]) == 0)
			return 1;
	return 0;
}

static int is_missing(const struct modern_bpf *m, const char *name)
{
	char padded[80];

	snprintf(padded, sizeof padded, " %s ", name);
	return strstr(m->missing, padded) != NULL;
}

/* Takes the name of the program libbpf could not load from what it said, and adds it to the missing ones. 0 when it can do without. */
static int note_missing(struct modern_bpf *m)
{
	static const char mark[] = "libbpf: prog '", end[] = "': failed to load";
	const char *at = libbpf_said, *name = NULL;
	size_t n = 0, used = strlen(m->missing);

	while ((at = strstr(at, mark)) != NULL) {
		const char *from = at + sizeof mark - 1, *to = strchr(from, '\'');

		if (to && strncmp(to, end, sizeof end - 1) == 0) {
			name = from;
			n = (size_t)(to - from);
		}
		at = from;
	}
	if (!name || n > 60 || used + n + 3 > sizeof m->missing)
		return -1;
	if (used == 0)
		m->missing[used++] = ' ';
	memcpy(m->missing + used, name, n);
	m->missing[used + n] = 0;
	if (is_vital(m->missing + used))
		return -1;
	m->missing[used + n] = ' ';
	m->missing[used + n + 1] = 0;
	m->n_missing++;
	return 0;
}

/* Loads the object. 0, or an error number; what libbpf and the kernel say to it is kept. */
static int load_programs(struct bpf_object *object)
{
	struct parallel_load *load = parallel_load_begin();
	int e = bpf_object__load(object) == 0 ? 0 : errno;
	char said[2048];
	int later;

	said[0] = 0;
	later = parallel_load_end(load, e == 0, said, sizeof said);
	if (e == 0 && later != 0) {
		snprintf(libbpf_said, sizeof libbpf_said, "%s", said);
		e = later;
	}
	return e;
}

/* Opens and loads the object without the programs that are known to be refused. 1: try again, another one was refused. */
static int load_object(struct modern_bpf *m, char *error, uint32_t size)
{
	LIBBPF_OPTS(bpf_object_open_opts, open_options, .object_name = "falco");
	struct bpf_map *scratch, *counters, *rings;
	struct bpf_program *program;
	int e;

	libbpf_said[0] = 0;
	m->object = bpf_object__open_mem(probe_object, (size_t)(probe_object_end - probe_object), &open_options);
	if (!m->object) {
		fail(error, size, "cannot read the embedded probe: %s", strerror(errno));
		add_reason(error, size);
		return -1;
	}
	scratch = find_map(m->object, "scratch");
	counters = find_map(m->object, "counters");
	rings = find_map(m->object, "rings");
	if (!scratch || !counters || !rings || !find_map(m->object, ".bss") || !find_map(m->object, "exit_programs") || !find_map(m->object, "enter_programs"))
		return fail(error, size, "the embedded probe lacks a map");
	if (bpf_map__set_max_entries(scratch, 1 + m->cpus * SCRATCH_KINDS) || bpf_map__set_max_entries(counters, m->cpus) ||
	    bpf_map__set_max_entries(rings, m->cpus))
		return fail(error, size, "cannot size the probe's maps");
	programs_choose(m->object, m->by_perf, m->tracepoints);
	iterators_choose(m->object);
	bpf_object__for_each_program(program, m->object)
	{
		if (is_missing(m, bpf_program__name(program)))
			bpf_program__set_autoload(program, false);
	}
	e = load_programs(m->object);
	if (e != 0) {
		if (privileges_explain(e, error, size))
			return -1;
		fail(error, size, "the kernel refused the probe: %s", strerror(e));
		add_reason(error, size);
		if (e == EPERM || note_missing(m) != 0)
			return -1;
		bpf_object__close(m->object);
		m->object = NULL;
		return 1;
	}
	return 0;
}

static int load_what_can_be(struct modern_bpf *m, char *error, uint32_t size)
{
	int r;

	do
		r = load_object(m, error, size);
	while (r == 1);
	return r;
}

/* Has the probe note which process this is, see note_self in tracepoints.h. */
static int exclude_self(struct modern_bpf *m, char *error, uint32_t size)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);
	struct bpf_program *p = bpf_object__find_program_by_name(m->object, "note_self");

	if (!p || bpf_prog_test_run_opts(bpf_program__fd(p), &run) != 0)
		return fail(error, size, "the probe cannot tell its own process: %s", strerror(errno));
	return 0;
}

int modern_open(struct modern_bpf *m, const uint32_t *o, char *error, uint32_t size)
{
	int cpus = libbpf_num_possible_cpus();
	uint32_t page = (uint32_t)sysconf(_SC_PAGESIZE);
	uint32_t ring_bytes = o[SHIM_RING_BYTES];
	int e;

	m->events = -1;
	libbpf_set_print(keep_message);
	if (cpus <= 0)
		return fail(error, size, "cannot count the CPUs: %s", strerror(-cpus));
	if (ring_bytes < 2 * page || (ring_bytes & (ring_bytes - 1)) != 0 || ring_bytes > (1u << 29))
		return fail(error, size, "ring size %u: wanted a power of two from %u to %u", ring_bytes, 2 * page, 1u << 29);
	m->cpus = (uint32_t)cpus;
	m->tracepoints = o[SHIM_TRACEPOINTS];
	m->enter_hooks = o[SHIM_ENTER_HOOKS];
	if (modern_check(error, size))
		return -1;
	e = programs_prepare();
	if (e != 0)
		return fail(error, size, "cannot read the kernel's type information: %s", strerror(-e));
	m->events = perf_tracepoints_open();
	m->by_perf = m->events >= 0 && (o[SHIM_PERF_CALLS] || programs_preemptible());
	if (o[SHIM_PERF_CALLS] && !m->by_perf)
		return fail(error, size, "the tracing file system of the kernel cannot be read");
	if (load_what_can_be(m, error, size) || create_rings(m, ring_bytes, o[SHIM_CPUS_PER_RING], error, size) ||
	    fill_maps(m, o[SHIM_CPUS_PER_RING], error, size) || map_shared(m, error, size))
		return -1;
	m->settings->boot_time = boot_time();
	return o[SHIM_EXCLUDE_SELF] ? exclude_self(m, error, size) : 0;
}

static void set_bit(unsigned long long *bits, uint32_t i)
{
	bits[i / 64] |= 1ull << (i % 64);
}

static int has_bit(const unsigned long long *bits, uint32_t i)
{
	return (bits[i / 64] >> (i % 64)) & 1;
}

/* Has the probe look at what is wanted now. */
static void refresh(void)
{
	syscall(PROBE_REFRESH_CALL, 0);
}

void modern_select(struct modern_bpf *m, const uint16_t *codes, uint32_t n)
{
	unsigned long long exits[PROBE_SLOTS / 64] = {0}, enters[PROBE_SLOTS / 64] = {0};
	unsigned long long exit_numbers[PROBE_IA32_SLOT / 64], enter_numbers[PROBE_IA32_SLOT / 64];
	uint8_t wanted[65536 / 8] = {0};

	for (uint32_t i = 0; i < n; i++)
		wanted[codes[i] / 8] |= (uint8_t)(1u << (codes[i] % 8));
	for (size_t i = 0; i < COUNT(probe_slots); i++) {
		const struct probe_slot *slot = &probe_slots[i];

		if (!(wanted[slot->code / 8] & (1u << (slot->code % 8))))
			continue;
		if (!is_missing(m, slot->exit_program))
			set_bit(exits, slot->slot);
		if (slot->enter_program && m->enter_hooks && !is_missing(m, slot->enter_program))
			set_bit(enters, slot->slot);
	}
	/* Native numbers are slots; a number of the 32-bit table counts when what it is dispatched to does. */
	memcpy(exit_numbers, exits, sizeof exit_numbers);
	memcpy(enter_numbers, enters, sizeof enter_numbers);
	set_bit(exit_numbers, PROBE_REFRESH_CALL);
	for (size_t i = 0; i < COUNT(probe_ia32); i++) {
		const struct probe_ia32 *row = &probe_ia32[i];

		if (row->slot < PROBE_SLOTS && has_bit(exits, row->slot))
			set_bit(exit_numbers, row->number);
		if (row->slot < PROBE_SLOTS && has_bit(enters, row->slot))
			set_bit(enter_numbers, row->number);
	}
	for (int i = 0; i < PROBE_IA32_SLOT / 64; i++) {
		__atomic_store_n(&m->settings->exit_numbers[i], exit_numbers[i], __ATOMIC_RELAXED);
		__atomic_store_n(&m->settings->enter_numbers[i], enter_numbers[i], __ATOMIC_RELAXED);
	}
	/* Word by word: the probe may be running. */
	for (int i = 0; i < PROBE_SLOTS / 64; i++) {
		__atomic_store_n(&m->settings->exit_wanted[i], exits[i], __ATOMIC_RELAXED);
		__atomic_store_n(&m->settings->enter_wanted[i], enters[i], __ATOMIC_RELAXED);
	}
	refresh();
}

/* Attaches a program to what its section names; NULL, and a reason in errno, when that does not work. */
static struct bpf_link *attach_program(struct modern_bpf *m, struct bpf_program *p)
{
	struct bpf_link *link;

	if (bpf_program__type(p) == BPF_PROG_TYPE_TRACEPOINT)
		link = perf_tracepoint_attach(m->events, p);
	else
		link = bpf_program__attach(p);
	if (link) {
		m->links[m->n_links++] = link;
		m->attached[m->n_attached++] = p;
	}
	return link;
}

/* Attaches the program of a tracepoint, if one is loaded. */
static int attach(struct modern_bpf *m, const char *tracepoint, char *error, uint32_t size)
{
	struct bpf_program *p = programs_find(m->object, tracepoint);

	if (p && !attach_program(m, p)) {
		int e = errno;

		fail(error, size, "cannot attach %s: %s", bpf_program__name(p), strerror(e));
		add_reason(error, size);
		return -1;
	}
	return 0;
}

/* Programs on the tracepoint of one call are named after the call, see CALL_ENTER in driver/modern_bpf/dispatch.h. */
#define CALL_PREFIX "c_"

/* Attaches all of them, or none. Returns 0 when all are. */
static int attach_calls(struct modern_bpf *m)
{
	uint32_t before = m->n_links;
	struct bpf_program *program;
	int failed = 0;

	bpf_object__for_each_program(program, m->object)
	{
		if (!failed && strncmp(bpf_program__name(program), CALL_PREFIX, sizeof CALL_PREFIX - 1) == 0 && bpf_program__autoload(program))
			failed = !attach_program(m, program);
	}
	while (failed && m->n_links > before)
		bpf_link__destroy(m->links[--m->n_links]);
	return failed;
}

/* Enter events from the tracepoints of their calls where that is enough and can be had, else from that of all calls. */
static int attach_enter(struct modern_bpf *m, char *error, uint32_t size)
{
	if (m->enter_hooks == SHIM_ENTER_NATIVE && attach_calls(m) == 0)
		return 0;
	return attach(m, "sys_enter", error, size);
}

int modern_start(struct modern_bpf *m, char *error, uint32_t size)
{
	const char *tracepoint;

	for (uint32_t i = 0; (tracepoint = programs_tracepoint(i)) != NULL; i++)
		if (attach(m, tracepoint, error, size))
			return -1;
	if (m->enter_hooks && attach_enter(m, error, size))
		return -1;
	if (attach(m, "sys_exit", error, size))
		return -1;
	refresh();
	return 0;
}

void modern_stop(struct modern_bpf *m)
{
	while (m->n_links > 0)
		bpf_link__destroy(m->links[--m->n_links]);
}

/*
 * What the kernel counts only with the program: that it was left out, on a bare tracepoint because a task lost its CPU in the middle of
 * it (see driver/modern_bpf/dispatch.h), on a perf event because a task lost its CPU while it changed a BPF map.
 */
uint64_t modern_missed(const struct modern_bpf *m)
{
	uint64_t missed = 0;

	for (uint32_t i = 0; i < m->n_attached; i++) {
		struct bpf_prog_info info = {0};
		uint32_t size = sizeof info;

		if (bpf_obj_get_info_by_fd(bpf_program__fd(m->attached[i]), &info, &size) == 0)
			missed += info.recursion_misses;
	}
	return missed;
}

void modern_close(struct modern_bpf *m)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	modern_stop(m);
	for (uint32_t i = 0; m->rings && i < m->n_rings; i++) {
		struct ring *r = &m->rings[i];

		if (r->consumer)
			munmap(r->consumer, page);
		if (r->producer)
			munmap((void *)(uintptr_t)r->producer, page + m->ring_bytes + RING_TAIL);
		if (m->ring_fds && m->ring_fds[i] >= 0)
			close(m->ring_fds[i]);
	}
	if (m->settings)
		munmap(m->settings, m->settings_bytes);
	if (m->counters)
		munmap((void *)(uintptr_t)m->counters, m->counters_bytes);
	free(m->rings);
	free(m->ring_fds);
	if (m->events >= 0)
		close(m->events);
	bpf_object__close(m->object);
	memset(m, 0, sizeof *m);
}
