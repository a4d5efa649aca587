/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/*
 * The modern probe's side of what the fillers in driver/fillers/ are written against. A probe provides:
 *
 *   struct event                  the event being built, with the call's `ret`, `args`, `nr`, `slot`, `compat`
 *   FILLER(EVENT), ENTER_FILLER, COMMON_FILLER
 *                                 open the function that fills EVENT; it returns EMIT or SKIP
 *   REPEATED_FILLER(EVENT, n)     the same for calls with n events; it begins each itself and returns nothing
 *   push_u8 … push_u64, push_empty, push_kernel_bytes
 *   push_user_str, push_kernel_str, push_user_bytes
 *   open_param, add_*, close_param   a parameter put together from pieces
 *   user_read, user_u32, user_u64    user memory; 0 or false when it cannot be read
 *   KREAD(pointer, field, …)      a chain of kernel fields
 *   current(e)                    the task
 *   SHARED, SHARED_EVENT          open a function of numbers that several fillers call
 *   LOOP_TURN, LOOP               one turn of a loop, and the loop
 *   LONG_LOOP_TURN, LONG_LOOP     the same with up to 1024 turns
 *
 * Everything pushed is laid down in the scratch memory of the CPU, and the whole event is copied into the ring at the end.
 */
#ifndef ACCESSORS_H
#define ACCESSORS_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "../probe_abi.h"

#define EMIT 0
#define SKIP 1
#define PATH_MAX 4096
/* Offsets are cut to this range for the verifier; an event that runs past it is dropped at the end, so nothing is lost by it. */
#define POS_MASK 0xffff
/* Scratch of a CPU: one for system calls, one for the other tracepoints, which strike in the middle of calls. */
#define SCRATCH_MAIN 0
#define SCRATCH_TRACE 1
#define SCRATCH_KINDS 2
/* One more, before those of the CPUs: iterators run one at a time, but may move from CPU to CPU in the middle. */
#define SCRATCH_ITERATOR SCRATCH_KINDS

struct event {
	s64 ret;
	u64 args[6];
	u64 ts;
	/* Number in the table the caller used, slot it is dispatched to, code of the call. */
	u32 nr;
	u32 slot;
	/* Arguments and structures are those of a 32-bit process; its timespec is 64 bits wide. */
	u8 compat;
	u8 time64;
	u32 type;
	u32 cpu;
	/* Which of the CPU's scratch this is, and whether an event is being built in it. */
	u32 kind;
	u32 busy;
	/* Where the next parameter, and its length, go; start of an open parameter. */
	u32 pos;
	u32 lpos;
	u32 start;
	/*
	 * Paths are put together from their end here. Where a walk has come to is kept in memory and not in variables: the
	 * verifier forgets what it knew about it, so every turn of a loop looks the same to it.
	 */
	u8 path[2 * PATH_MAX];
	u32 path_at;
	struct {
		void *node, *mount, *root;
	} walk;
	/* The same for loops over arrays of the process: array, number of elements, sum, what is left, where it began. */
	u64 array;
	u64 total;
	u64 peer;
	u32 count;
	u32 left;
	u32 from;
	/* Which event of several of one call. */
	u32 turn;
	u32 prefix[2];
	u8 data[2 * (POS_MASK + 1)];
};

struct probe_settings settings = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct event);
} scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct probe_counters);
} counters SEC(".maps");

struct ring_shape {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};
/* By CPU; several may hold the same ring. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, u32);
	__array(values, struct ring_shape);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, PROBE_SLOTS);
	__type(key, u32);
	__type(value, u32);
} exit_programs SEC(".maps"), enter_programs SEC(".maps");

#define KREAD(src, field, ...) BPF_CORE_READ(src, field, ##__VA_ARGS__)

static __always_inline struct probe_counters *counters_of(u32 cpu)
{
	return bpf_map_lookup_elem(&counters, &cpu);
}

/* The task on this CPU, as a pointer whose fields need no copy when the kernel gives one (since 5.11). */
static __always_inline struct task_struct *current_task(void)
{
	return (struct task_struct *)bpf_get_current_task();
}

#define current(e) current_task()

/*
 * A function the verifier checks once, whatever its callers know: it takes numbers only, of which the first is e->kind, and finds
 * the event by it. SHARED_EVENT opens its body.
 */
#define SHARED __attribute__((noinline)) int
#define SHARED_EVENT(e, kind) \
	struct event *e = scratch_of(kind); \
	if (!e) \
	return 0

/*
 * One turn of a loop is a shared function too: the verifier checks it once and not as often as the loop may turn. It returns 0 to
 * go on. What it needs from before the loop, and from turn to turn, is kept in the event.
 */
#define LOOP_TURN(turn) \
	static __always_inline int turn##_body(u32 i, struct event *e); \
	SHARED turn(u32 kind, u32 i) \
	{ \
		struct event *e = scratch_of(kind); \
		/* Used, or the compiler passes no number, which the verifier minds. */ \
		asm volatile("" : "+r"(i)); \
		return e ? turn##_body(i, e) : 1; \
	} \
	static __always_inline int turn##_body(u32 i, struct event *e)
#define LOOP(e, turn, max) \
	_Pragma("clang loop unroll(disable)") for (u32 i = 0; i < (max); i++) \
		if (turn((e)->kind, i)) \
			break

/*
 * The same for loops of up to LONG_TURNS turns, as many as the kernel takes buffers or messages in one call: rows of turns, and a turn
 * of LONG_LOOP is a row. The verifier sees no loop go round more than 32 times.
 */
#define ROW_TURNS 32
#define LONG_TURNS (ROW_TURNS * ROW_TURNS)
#define LONG_LOOP_TURN(turn) \
	SHARED turn(u32 kind, u32 i); \
	LOOP_TURN(turn##_row) \
	{ \
		_Pragma("clang loop unroll(disable)") for (u32 k = 0; k < ROW_TURNS; k++) \
			if (turn(e->kind, i * ROW_TURNS + k)) \
				return 1; \
		return 0; \
	} \
	LOOP_TURN(turn)
#define LONG_LOOP(e, turn) LOOP(e, turn##_row, ROW_TURNS)

static __always_inline struct event *scratch_of(u32 kind)
{
	u32 cpu = bpf_get_smp_processor_id();
	u32 index = kind == SCRATCH_ITERATOR ? 0 : 1 + cpu * SCRATCH_KINDS + kind;
	struct event *e = bpf_map_lookup_elem(&scratch, &index);

	if (e) {
		e->cpu = cpu;
		e->kind = kind;
	}
	return e;
}

static __always_inline void done(struct event *e)
{
	__sync_fetch_and_add(&e->busy, -1);
}

/* Takes scratch if it is free: whoever counts to one has it. */
static __always_inline bool take_scratch(struct event *e)
{
	__sync_fetch_and_add(&e->busy, 1);
	if (*(volatile u32 *)&e->busy == 1)
		return true;
	done(e);
	return false;
}

/* Counts events that cannot be made because a program is missing. */
static __always_inline void count_bug(u32 cpu, u32 events)
{
	struct probe_counters *c = counters_of(cpu);

	if (c)
		c->drops_bug += events;
}

static __always_inline void count_preemption(u32 cpu)
{
	struct probe_counters *c = counters_of(cpu);

	if (c)
		c->preemptions++;
}

/* Scratch of this CPU; NULL when an event is being built in it by a task that has lost the CPU. done() gives it back. */
static __always_inline struct event *scratch_for(u32 kind)
{
	struct event *e = scratch_of(kind);

	if (!e || take_scratch(e))
		return e;
	count_preemption(e->cpu);
	return NULL;
}

/* Starts an event: header and room for the lengths of its parameters. */
static __always_inline void begin_as(struct event *e, u32 type, u32 nparams, u64 tid)
{
	e->type = type;
	e->prefix[0] = e->cpu;
	e->prefix[1] = 0;
	*(u64 *)&e->data[0] = e->ts;
	*(u64 *)&e->data[8] = tid;
	*(u16 *)&e->data[20] = type;
	*(u32 *)&e->data[22] = nparams;
	e->lpos = PROBE_EVENT_HEADER;
	e->pos = PROBE_EVENT_HEADER + 2 * nparams;
}

static __always_inline void begin(struct event *e, u32 type, u32 nparams)
{
	begin_as(e, type, nparams, (u32)bpf_get_current_pid_tgid());
}

/* Copies a record, of an event of this type, into the ring of this CPU, or counts why it could not. */
static __always_inline void output(void *record, u32 size, u32 type)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct probe_counters *c = counters_of(cpu);
	void *ring = bpf_map_lookup_elem(&rings, &cpu);

	if (!c)
		return;
	if (!ring)
		c->drops_bug++;
	else if (bpf_ringbuf_output(ring, record, size, BPF_RB_NO_WAKEUP))
		c->drops[drop_kinds[type & (EVENT_IDS - 1)] & (PROBE_DROP_ROOM - 1)]++;
	else
		c->events++;
}

static __always_inline void emit(struct event *e)
{
	u32 len = e->pos;
	struct probe_counters *c;

	if (len > PROBE_EVENT_MAX) {
		c = counters_of(e->cpu);
		if (c)
			c->drops_max_size++;
		return;
	}
	*(u32 *)&e->data[16] = len;
	/* The verifier has to see the bound in the very register that is used; the compiler must not find it needless. */
	asm volatile("" : "+r"(len));
	len &= PROBE_EVENT_MAX;
	output(e->prefix, len + PROBE_RECORD_PREFIX, e->type);
}

/* Ends a program that took scratch and filled an event. */
static __always_inline int finish(struct event *e)
{
	emit(e);
	done(e);
	return 0;
}

/* Ends a program that took scratch and has nothing to tell. */
static __always_inline int give_up(struct event *e)
{
	done(e);
	return 0;
}

/*
 * An event of a few numbers, built on the stack: for tracepoints that strike anywhere, even while another event is being built.
 * The record is a packed structure: this head, a u16 per length, the parameters.
 */
struct small_head {
	u32 cpu, zero;
	u64 ts, tid;
	u32 len;
	u16 type;
	u32 nparams;
} __attribute__((packed));

static __always_inline struct small_head small_head(u32 type, u32 nparams, u32 size, u32 tid)
{
	return (struct small_head){.cpu = bpf_get_smp_processor_id(),
				   .ts = settings.boot_time + bpf_ktime_get_boot_ns(),
				   .tid = tid,
				   .len = size - PROBE_RECORD_PREFIX,
				   .type = type,
				   .nparams = nparams};
}

/* Sections of the programs that the dispatchers call; how they are loaded, libscap-shim/programs.c says. */
#define ON_EXIT "exit"
#define ON_ENTER "enter"

#define FILLER_AT(section, prefix, name, type) \
	static __always_inline int fill_##name(struct event *e);                                                       \
	SEC(section) int prefix##name(void *ctx) \
	{ \
		struct event *e = scratch_of(SCRATCH_MAIN); \
		if (!e) \
			return 0; \
		begin(e, type, NPARAMS_##name); \
		if (fill_##name(e) == EMIT) \
			emit(e); \
		done(e); \
		return 0; \
	} \
	static __always_inline int fill_##name(struct event *e)
/* For calls that give several events, `events` of them: fills the one of e->turn, header and all. */
#define REPEATED_FILLER(name, events) \
	static __always_inline void fill_##name(struct event *e); \
	LONG_LOOP_TURN(repeat_##name) \
	{ \
		if (e->turn >= (events)) \
			return 1; \
		fill_##name(e); \
		emit(e); \
		e->turn++; \
		return 0; \
	} \
	SEC(ON_EXIT) int x_##name(void *ctx) \
	{ \
		struct event *e = scratch_of(SCRATCH_MAIN); \
		if (!e) \
			return 0; \
		LONG_LOOP(e, repeat_##name); \
		if (e->turn < (events)) \
			count_bug(e->cpu, (events) - e->turn); \
		done(e); \
		return 0; \
	} \
	static __always_inline void fill_##name(struct event *e)
#define FILLER(name) FILLER_AT(ON_EXIT, x_, name, EV_##name)
/* The same for several events that are filled alike: which one it is, the slot tells. */
#define COMMON_FILLER(name) FILLER_AT(ON_EXIT, x_, name, slot_event[e->slot & (PROBE_SLOTS - 1)])
#define ENTER_FILLER(name) FILLER_AT(ON_ENTER, e_, name, EV_##name)

static __always_inline void push_len(struct event *e, u16 len)
{
	*(u16 *)&e->data[e->lpos & 0xff] = len;
	e->lpos += 2;
}

#define DEFINE_PUSH(bits) \
	static __always_inline void push_u##bits(struct event *e, u##bits v) \
	{ \
		*(u##bits *)&e->data[e->pos & POS_MASK] = v; \
		e->pos += sizeof v; \
		push_len(e, sizeof v); \
	}
DEFINE_PUSH(8)
DEFINE_PUSH(16)
DEFINE_PUSH(32)
DEFINE_PUSH(64)

static __always_inline void push_empty(struct event *e)
{
	push_len(e, 0);
}

/* A parameter in pieces: everything added until close_param is one parameter. */
static __always_inline void open_param(struct event *e)
{
	e->start = e->pos;
}

static __always_inline void close_param(struct event *e)
{
	push_len(e, e->pos - e->start);
}

#define DEFINE_ADD(bits) \
	static __always_inline void add_u##bits(struct event *e, u##bits v) \
	{ \
		*(u##bits *)&e->data[e->pos & POS_MASK] = v; \
		e->pos += sizeof v; \
	}
DEFINE_ADD(8)
DEFINE_ADD(16)
DEFINE_ADD(32)
DEFINE_ADD(64)

/* Text at a user address, with its NUL, at most PATH_MAX bytes. Returns its length with the NUL, 0 when it cannot be read. */
static __always_inline u32 add_user_str(struct event *e, u64 addr)
{
	long n = bpf_probe_read_user_str(&e->data[e->pos & POS_MASK], PATH_MAX, (const void *)addr);

	if (n < 0)
		return 0;
	/* Kernels before 6.14 do not count the NUL of an empty text. */
	if (n == 0)
		n = 1;
	e->pos += n;
	return n;
}

static __always_inline u32 add_kernel_str(struct event *e, const void *addr)
{
	long n = bpf_probe_read_kernel_str(&e->data[e->pos & POS_MASK], PATH_MAX, addr);

	if (n <= 0)
		return 0;
	e->pos += n;
	return n;
}

/* `len` (below 64 KiB) bytes at a user address. Returns false, and adds nothing, when they cannot be read. */
static __always_inline bool add_user_bytes(struct event *e, u64 addr, u32 len)
{
	len &= POS_MASK;
	if (bpf_probe_read_user(&e->data[e->pos & POS_MASK], len, (const void *)addr))
		return false;
	e->pos += len;
	return true;
}

static __always_inline bool add_kernel_bytes(struct event *e, const void *addr, u32 len)
{
	len &= POS_MASK;
	if (bpf_probe_read_kernel(&e->data[e->pos & POS_MASK], len, addr))
		return false;
	e->pos += len;
	return true;
}

static __always_inline void push_user_str(struct event *e, u64 addr)
{
	push_len(e, addr ? add_user_str(e, addr) : 0);
}

static __always_inline void push_kernel_str(struct event *e, const void *addr)
{
	push_len(e, add_kernel_str(e, addr));
}

static __always_inline void push_user_bytes(struct event *e, u64 addr, u32 len)
{
	open_param(e);
	if (addr && len)
		add_user_bytes(e, addr, len);
	close_param(e);
}

static __always_inline bool user_read(void *to, u32 size, u64 addr)
{
	return addr && bpf_probe_read_user(to, size, (const void *)addr) == 0;
}

static __always_inline u32 user_u32(struct event *e, u64 addr)
{
	u32 v = 0;

	user_read(&v, sizeof v, addr);
	return v;
}

static __always_inline u64 user_u64(struct event *e, u64 addr)
{
	u64 v = 0;

	user_read(&v, sizeof v, addr);
	return v;
}

/* A pointer or long of the calling process. */
static __always_inline u64 user_word(struct event *e, u64 addr)
{
	return e->compat ? user_u32(e, addr) : user_u64(e, addr);
}

#endif
