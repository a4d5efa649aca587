/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* From the raw tracepoints of system calls to the filler of the call. */
#ifndef DISPATCH_H
#define DISPATCH_H

#if defined(__TARGET_ARCH_x86)
#define TS_COMPAT 2
#elif defined(__TARGET_ARCH_arm64)
#define TIF_32BIT (1ul << 22)
#endif

/* Whether the call on this CPU came through the table of 32-bit calls. */
static __always_inline bool is_compat(void)
{
	struct task_struct *task;

	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)) {
		task = (struct task_struct *)bpf_get_current_task_btf();
#if defined(__TARGET_ARCH_x86)
		return task->thread_info.status & TS_COMPAT;
#else
		return task->thread_info.flags & TIF_32BIT;
#endif
	}
	task = current_task();
#if defined(__TARGET_ARCH_x86)
	return KREAD(task, thread_info.status) & TS_COMPAT;
#else
	return KREAD(task, thread_info.flags) & TIF_32BIT;
#endif
}

static __always_inline void native_args(struct event *e, struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	e->args[0] = regs->di;
	e->args[1] = regs->si;
	e->args[2] = regs->dx;
	e->args[3] = regs->r10;
	e->args[4] = regs->r8;
	e->args[5] = regs->r9;
#else
	e->args[0] = regs->orig_x0;
	e->args[1] = regs->regs[1];
	e->args[2] = regs->regs[2];
	e->args[3] = regs->regs[3];
	e->args[4] = regs->regs[4];
	e->args[5] = regs->regs[5];
#endif
}

#if defined(__TARGET_ARCH_x86)
#define IA32_OLD_MMAP 90

/* Arguments that lie in user memory: those of socketcall and of the first mmap. */
static __always_inline void memory_args(struct event *e, u64 addr)
{
	u32 a[6] = {};

	/* Short arrays may end at the end of a page: the first half is always there. */
	if (bpf_probe_read_user(a, sizeof a, (const void *)addr))
		bpf_probe_read_user(a, 3 * sizeof a[0], (const void *)addr);
	for (int i = 0; i < 6; i++)
		e->args[i] = a[i];
}

/* Reads a 32-bit call into `e`; the slot it is dispatched to, NO_SLOT when it is none of ours. */
static __always_inline u32 compat_call(struct event *e, struct pt_regs *regs, u32 nr)
{
	u32 slot;

	if (nr >= 512)
		return NO_SLOT;
	asm volatile("" : "+r"(nr));
	slot = ia32_slot[nr & 511];
	e->compat = 1;
	e->time64 = nr >= IA32_TIME64_FIRST && nr <= IA32_TIME64_LAST;
	e->args[0] = (u32)regs->bx;
	e->args[1] = (u32)regs->cx;
	e->args[2] = (u32)regs->dx;
	e->args[3] = (u32)regs->si;
	e->args[4] = (u32)regs->di;
	e->args[5] = (u32)regs->bp;
	if (nr == IA32_SOCKETCALL) {
		slot = socketcall_slot[e->args[0] & 31];
		if (slot)
			memory_args(e, e->args[1]);
		else
			slot = NO_SLOT;
	} else if (nr == IA32_OLD_MMAP)
		memory_args(e, e->args[0]);
	return slot;
}
#else
#define NO_COMPAT 1
#endif

static __always_inline u32 call_number(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return regs->orig_ax;
#else
	return regs->syscallno;
#endif
}

/* Bit `i` of a map of `bits` bits, a power of two; false beyond. */
static __always_inline bool bit_of(const volatile unsigned long long *map, u32 i, u32 bits)
{
	u32 word = i >> 6;

	/* The compiler must not drop the mask as needless: the verifier sees the bound in this register only. */
	asm volatile("" : "+r"(word));
	return i < bits && (map[word & (bits / 64 - 1)] >> (i & 63)) & 1;
}

static __always_inline bool wanted(const volatile unsigned long long *slots, u32 slot)
{
	return bit_of(slots, slot, PROBE_SLOTS);
}

#define NUMBER_WORDS (PROBE_IA32_SLOT / 64)

/*
 * The copy of the settings' exit_numbers and enter_numbers. A look at it is all that a call costs which is not wanted. Being small and
 * not shared with the shim, it lies among the kernel's own data; the settings have a page of their own, which is seldom at hand and
 * costs such a call a fifth more. Everything may be wanted until the first copy is made.
 */
static volatile struct {
	u64 exit[NUMBER_WORDS], enter[NUMBER_WORDS];
} numbers SEC(".data.numbers") = {{[0 ... NUMBER_WORDS - 1] = ~0ull}, {[0 ... NUMBER_WORDS - 1] = ~0ull}};

static __always_inline void refresh_numbers(void)
{
	const volatile struct probe_settings *from = &settings;

#pragma unroll
	for (int i = 0; i < NUMBER_WORDS; i++) {
		numbers.exit[i] = from->exit_numbers[i];
		numbers.enter[i] = from->enter_numbers[i];
	}
}

/* Whether a call of this number is wanted at all; the first thing a probe asks, at every call of every process. */
static __always_inline bool maybe_wanted(const volatile u64 *bits, u32 nr)
{
	return bit_of(bits, nr, PROBE_IA32_SLOT);
}

/* Scratch of this CPU for a native call; 0 when there is none. */
static __always_inline struct event *begin_call(u32 nr)
{
	struct event *e = scratch_for(SCRATCH_MAIN);

	if (!e)
		return 0;
	e->nr = nr;
	e->slot = nr;
	e->turn = 0;
	e->peer = 0;
	e->compat = 0;
	e->time64 = 0;
	e->ts = settings.boot_time + bpf_ktime_get_boot_ns();
	return e;
}

/* Takes the call into the scratch of this CPU when its slot is wanted; 0 when there is nothing to do. */
static __always_inline struct event *take(struct pt_regs *regs, u32 nr, const volatile unsigned long long *bits)
{
	bool compat = is_compat();
	struct event *e;

	if (!compat && !wanted(bits, nr < PROBE_IA32_SLOT ? nr : NO_SLOT))
		return 0;
#ifdef NO_COMPAT
	if (compat)
		return 0;
#endif
	if (settings.self && bpf_get_current_pid_tgid() >> 32 == settings.self)
		return 0;
	e = begin_call(nr);
	if (!e)
		return 0;
#ifndef NO_COMPAT
	if (compat) {
		e->slot = compat_call(e, regs, nr);
		if (wanted(bits, e->slot))
			return e;
		done(e);
		return 0;
	}
#endif
	native_args(e, regs);
	return e;
}

#define SECOND 1000000000ull
#define F_DUPFD_CLOEXEC 1030

/* Emits DROP_E or DROP_X: events are dropped from here on, or no longer. */
static __always_inline void emit_drop(struct event *e, u32 type)
{
	begin(e, type, NPARAMS_DROP_E);
	push_u32(e, settings.sampling);
	emit(e);
}

/* Whether dropping mode takes this call away. Says so in the stream when the part of the second changes. */
static __always_inline bool sampled_out(struct event *e)
{
	u8 kind = slot_drop[e->slot & (PROBE_SLOTS - 1)];
	bool late = (e->ts - settings.boot_time) % SECOND >= SECOND / settings.sampling;

	if (kind & SLOT_NEVER_DROP) {
		u32 event = slot_event[e->slot & (PROBE_SLOTS - 1)];

		/* Kept for the state they change; these change none. */
		if (e->ret < 0 && (event == EV_CLOSE_X || event == EV_BIND_X))
			return true;
		return event == EV_FCNTL_X && e->args[1] != 0 /* F_DUPFD */ && e->args[1] != F_DUPFD_CLOEXEC;
	}
	if (kind & SLOT_ALWAYS_DROP)
		return true;
	if (late && !settings.dropping) {
		settings.dropping = 1;
		emit_drop(e, EV_DROP_E);
	} else if (!late && settings.dropping) {
		settings.dropping = 0;
		emit_drop(e, EV_DROP_X);
	}
	return late;
}

/* Ends a dispatcher whose tail call found no program. */
static __always_inline int no_program(struct event *e)
{
	count_bug(e->cpu, 1);
	return give_up(e);
}

/*
 * What dispatches calls is there twice, and the shim loads one of the two. A program on a bare tracepoint (tp_btf) is the faster one.
 * But since Linux 7 its task can lose the CPU in the middle of it, and until the task goes on, the kernel leaves the program out for
 * all others there. Turning preemption off in the program does not help, for the CPU is lost when it is turned on again, still inside.
 * A program on the perf event of the same tracepoint runs with preemption off, on all kernels.
 */

/* The saved registers, for programs that are not given them. */
static __always_inline struct pt_regs *own_regs(void)
{
	return (struct pt_regs *)bpf_task_pt_regs((void *)bpf_get_current_task_btf());
}

/* Whether an exit from the call of this number may be wanted. */
static __always_inline bool maybe_exit(u32 nr)
{
	if (!maybe_wanted(numbers.exit, nr))
		return false;
	if (nr == PROBE_REFRESH_CALL)
		refresh_numbers();
	return true;
}

static __always_inline int dispatch_exit(void *ctx, struct pt_regs *regs, u32 nr, long ret)
{
	struct event *e = take(regs, nr, settings.exit_wanted);

	if (!e)
		return 0;
	e->ret = ret;
	if ((settings.drop_failed && ret < 0) || (settings.sampling && sampled_out(e)))
		return give_up(e);
	bpf_tail_call(ctx, &exit_programs, e->slot);
	return no_program(e);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long ret)
{
	u32 nr = call_number(regs);

	return maybe_exit(nr) ? dispatch_exit(ctx, regs, nr, ret) : 0;
}

/* What the perf events of all calls begin with: on exit the result comes next, on enter the arguments. */
struct call_event {
	u64 common;
	s64 nr, ret;
};

SEC("tp/raw_syscalls/sys_exit")
int perf_sys_exit(struct call_event *ctx)
{
	u32 nr = ctx->nr;

	return maybe_exit(nr) ? dispatch_exit(ctx, own_regs(), nr, ctx->ret) : 0;
}

/*
 * Enter events come from the tracepoints of their native calls, which cost other calls nothing. Where those cannot be had, and
 * when the enters of 32-bit calls are wanted too, the tracepoint of all calls is there instead; the shim decides.
 */
/* What their programs are given: two words, the second of which begins with the number or with what the kernel has put before it. */
#define CALL_ARGS 2
#define CALL_ENTER(call, nr, name, count)                                                                                      \
	SEC("tp/syscalls/sys_enter_" #call) int c_##call(u64 *ctx)                                                             \
	{                                                                                                                      \
		struct event *e;                                                                                               \
		if (!wanted(settings.enter_wanted, nr))                                                                        \
			return 0;                                                                                              \
		if (settings.self && bpf_get_current_pid_tgid() >> 32 == settings.self)                                        \
			return 0;                                                                                              \
		e = begin_call(nr);                                                                                            \
		if (!e)                                                                                                        \
			return 0;                                                                                              \
		_Pragma("unroll") for (int i = 0; i < (count); i++) e->args[i] = ctx[CALL_ARGS + i];                                \
		e->ret = 0;                                                                                                    \
		begin(e, EV_##name, NPARAMS_##name);                                                                           \
		return fill_##name(e) == EMIT ? finish(e) : give_up(e);                                                        \
	}
#if defined(__TARGET_ARCH_x86)
CALL_ENTER(open, NR_OPEN, OPEN_E, 3)
CALL_ENTER(creat, NR_CREAT, CREAT_E, 2)
#endif
CALL_ENTER(openat, NR_OPENAT, OPENAT_2_E, 4)
CALL_ENTER(openat2, NR_OPENAT2, OPENAT2_E, 4)
CALL_ENTER(connect, NR_CONNECT, CONNECT_E, 3)

static __always_inline int dispatch_enter(void *ctx, struct pt_regs *regs, u32 nr)
{
	struct event *e = take(regs, nr, settings.enter_wanted);

	if (!e)
		return 0;
	e->ret = 0;
	bpf_tail_call(ctx, &enter_programs, e->slot);
	return no_program(e);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long id)
{
	return maybe_wanted(numbers.enter, id) ? dispatch_enter(ctx, regs, id) : 0;
}

SEC("tp/raw_syscalls/sys_enter")
int perf_sys_enter(struct call_event *ctx)
{
	u32 nr = ctx->nr;

	return maybe_wanted(numbers.enter, nr) ? dispatch_enter(ctx, own_regs(), nr) : 0;
}

#endif
