/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Tracepoints other than system calls: processes that begin, change and end, the scheduler, signals, page faults. */
#ifndef TRACEPOINTS_H
#define TRACEPOINTS_H

/* Saved user registers of the current task. */
static __always_inline struct pt_regs *current_regs(struct task_struct *task)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return (struct pt_regs *)bpf_task_pt_regs((void *)bpf_get_current_task_btf());
	/* Before 5.15: they lie at the upper end of the kernel stack, which is 16 KiB. */
	return (struct pt_regs *)((char *)KREAD(task, stack) + 16384 - bpf_core_type_size(struct pt_regs));
}

/* Dispatch slot of the call the task is in. */
static __always_inline u32 current_slot(struct pt_regs *regs, bool compat)
{
	u32 nr;

#if defined(__TARGET_ARCH_x86)
	nr = KREAD(regs, orig_ax);
	if (compat)
		return nr < 512 ? ia32_slot[nr] : NO_SLOT;
#else
	nr = KREAD(regs, syscallno);
	if (compat)
		return NO_SLOT;
#endif
	return nr;
}

static __always_inline bool is_own(u32 tgid)
{
	return settings.self && tgid == settings.self;
}

/* Scratch for an event of a tracepoint, with its time; NULL when the event is the capturing process's own. */
static __always_inline struct event *tracepoint_event(u32 tgid)
{
	struct event *e;

	if (is_own(tgid))
		return NULL;
	e = scratch_for(SCRATCH_TRACE);
	if (!e)
		return NULL;
	e->ts = settings.boot_time + bpf_ktime_get_boot_ns();
	e->ret = 0;
	e->compat = 0;
	return e;
}

/*
 * Run once by the shim itself: notes which process it is, by the number the kernel knows it by. In a container the process has
 * another number in its own eyes.
 */
SEC("raw_tp")
int note_self(void *ctx)
{
	settings.self = bpf_get_current_pid_tgid() >> 32;
	return 0;
}

/* The events of processes are made on bare tracepoints or on perf events, as those of calls; dispatch.h says why. */

static __always_inline int tell_fork(struct task_struct *parent, struct task_struct *child)
{
	bool compat = is_compat();
	struct pt_regs *regs = current_regs(parent);
	u32 slot = current_slot(regs, compat);
	u32 type = EV_CLONE_20_X;
	u64 flags = 0, first;
	struct event *e;

	if (KREAD(child, flags) & PF_KTHREAD || !wanted(settings.exit_wanted, slot))
		return 0;
	e = tracepoint_event(KREAD(child, tgid));
	if (!e)
		return 0;
	e->compat = compat;
#if defined(__TARGET_ARCH_x86)
	first = compat ? (u32)KREAD(regs, bx) : KREAD(regs, di);
#else
	first = KREAD(regs, orig_x0);
#endif
	if (slot == NR_CLONE)
		flags = first;
	else if (slot == NR_CLONE3) {
		type = EV_CLONE3_X;
		flags = user_u64(e, first);
	}
#if defined(__TARGET_ARCH_x86)
	else if (slot == NR_FORK)
		type = EV_FORK_20_X;
	else if (slot == NR_VFORK)
		type = EV_VFORK_20_X;
#endif
	begin_as(e, type, NPARAMS_CLONE_20_X, KREAD(child, pid));
	push_clone(e, child, flags, pidns_start(child));
	return finish(e);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_process_fork, struct task_struct *parent, struct task_struct *child)
{
	return tell_fork(parent, child);
}

struct task_struct *bpf_task_from_pid(s32 pid) __ksym __weak;
void bpf_task_release(struct task_struct *task) __ksym __weak;

SEC("tp/sched/sched_process_fork")
int perf_process_fork(struct trace_event_raw_sched_process_fork *ctx)
{
	/* The child does not run yet. */
	struct task_struct *child = bpf_task_from_pid(ctx->child_pid);

	if (!child) {
		count_bug(bpf_get_smp_processor_id(), 1);
		return 0;
	}
	tell_fork(current_task(), child);
	bpf_task_release(child);
	return 0;
}

/*
 * The number of the call is overwritten by now on every architecture. A name that was made up from a descriptor tells execveat; one
 * given with AT_FDCWD, or absolute, means the same as with execve and passes as that.
 */
static __always_inline int tell_exec(struct task_struct *task, bool at, const char *filename)
{
	struct mm_struct *mm = KREAD(task, mm);
	struct event *e;

	if (!wanted(settings.exit_wanted, at ? NR_EXECVEAT : NR_EXECVE))
		return 0;
	e = tracepoint_event(KREAD(task, tgid));
	if (!e)
		return 0;
	if (at)
		begin(e, EV_EXECVEAT_X, NPARAMS_EXECVEAT_X);
	else
		begin(e, EV_EXECVE_19_X, NPARAMS_EXECVE_19_X);
	push_u64(e, 0);
	push_own_args(e, mm);
	push_task(e, task, mm);
	push_own_env(e, mm);
	push_exec(e, task, mm);
	if (!at)
		push_kernel_str(e, filename);
	return finish(e);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_process_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	return tell_exec(task, KREAD(bprm, fdpath) != NULL, KREAD(bprm, filename));
}

/* What names begin with, in eight bytes, that the kernel makes up from a descriptor; who asks for one himself means the same. */
#define FROM_DESCRIPTOR "/dev/fd/"

SEC("tp/sched/sched_process_exec")
int perf_process_exec(struct trace_event_raw_sched_process_exec *ctx)
{
	const char *filename = (const char *)ctx + (ctx->__data_loc_filename & 0xffff);
	u64 start = 0, from_descriptor;

	__builtin_memcpy(&from_descriptor, FROM_DESCRIPTOR, sizeof from_descriptor);
	bpf_probe_read_kernel(&start, sizeof start, filename);
	return tell_exec(current_task(), start == from_descriptor, filename);
}

static __always_inline int tell_exit(struct task_struct *task)
{
	struct event *e;

	if (KREAD(task, flags) & PF_KTHREAD)
		return 0;
	e = tracepoint_event(KREAD(task, tgid));
	if (!e)
		return 0;
	begin(e, EV_PROCEXIT_1_E, NPARAMS_PROCEXIT_1_E);
	push_process_exit(e, task);
	return finish(e);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_process_exit, struct task_struct *task)
{
	return tell_exit(task);
}

SEC("tp/sched/sched_process_exit")
int perf_process_exit(void *ctx)
{
	return tell_exit(current_task());
}

struct switch_record {
	struct small_head head;
	u16 lens[NPARAMS_SCHEDSWITCH_6_E];
	u64 next, major_faults, minor_faults;
	u32 size, rss, swap;
} __attribute__((packed));

SEC("tp_btf/sched_switch")
int BPF_PROG(on_sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct mm_struct *mm = KREAD(prev, mm);
	struct switch_record r = {.lens = {8, 8, 8, 4, 4, 4}};

	if (is_own(KREAD(prev, tgid)))
		return 0;
	r.head = small_head(EV_SCHEDSWITCH_6_E, NPARAMS_SCHEDSWITCH_6_E, sizeof r, KREAD(prev, pid));
	r.next = KREAD(next, pid);
	r.major_faults = KREAD(prev, maj_flt);
	r.minor_faults = KREAD(prev, min_flt);
	r.size = mm_size(mm);
	r.rss = mm_rss(mm);
	r.swap = mm_swap(mm);
	output(&r, sizeof r, EV_SCHEDSWITCH_6_E);
	return 0;
}

#define SIGCHLD 17

struct signal_record {
	struct small_head head;
	u16 lens[NPARAMS_SIGNALDELIVER_E];
	u64 from, to;
	u8 sig;
} __attribute__((packed));

/* A raw tracepoint: newer verifiers refuse the signal's information as a pointer, because it may be one of two small numbers. */
SEC("raw_tp/signal_deliver")
int on_signal_deliver(struct bpf_raw_tracepoint_args *ctx)
{
	s32 sig = *(volatile u64 *)&ctx->args[0];
	struct kernel_siginfo *info = (void *)*(volatile u64 *)&ctx->args[1];
	u64 pid_tgid = bpf_get_current_pid_tgid();
	struct signal_record r = {.lens = {8, 8, 1}};
	s32 code;

	if (is_own(pid_tgid >> 32))
		return 0;
	if ((u64)info > 1) {
		code = KREAD(info, si_code);
		/* A sender is named by kill, tkill and sigqueue (0, -6, -1), by message queues (-3), and for children. */
		if (code == 0 || code == -1 || code == -3 || code == -6 || (sig == SIGCHLD && code > 0))
			r.from = (s64)KREAD(info, _sifields._kill._pid);
	}
	r.head = small_head(EV_SIGNALDELIVER_E, NPARAMS_SIGNALDELIVER_E, sizeof r, pid_tgid);
	r.to = (u32)pid_tgid;
	r.sig = sig;
	output(&r, sizeof r, EV_SIGNALDELIVER_E);
	return 0;
}

#if defined(__TARGET_ARCH_x86)
/* Bits of the error code of an x86 page fault. */
#define FAULT_PROTECTION 1
#define FAULT_WRITE 2
#define FAULT_USER 4
#define FAULT_RESERVED 8
#define FAULT_FETCH 16

struct fault_record {
	struct small_head head;
	u16 lens[NPARAMS_PAGE_FAULT_E];
	u64 address, ip;
	u32 error;
} __attribute__((packed));

static __always_inline int page_fault(unsigned long address, unsigned long ip, u32 code)
{
	u64 pid_tgid = bpf_get_current_pid_tgid();
	struct fault_record r = {.lens = {8, 8, 4}, .address = address, .ip = ip};
	u32 flags = (code & FAULT_PROTECTION ? 0x1 : 0x2) | (code & FAULT_WRITE ? 0x4 : 0x8) | (code & FAULT_USER ? 0x10 : 0x20) |
		    (code & FAULT_RESERVED ? 0x40 : 0) | (code & FAULT_FETCH ? 0x80 : 0);

	if (is_own(pid_tgid >> 32))
		return 0;
	r.head = small_head(EV_PAGE_FAULT_E, NPARAMS_PAGE_FAULT_E, sizeof r, pid_tgid);
	r.error = flags;
	output(&r, sizeof r, EV_PAGE_FAULT_E);
	return 0;
}

SEC("tp_btf/page_fault_user")
int BPF_PROG(on_page_fault_user, unsigned long address, struct pt_regs *regs, unsigned long code)
{
	return page_fault(address, regs->ip, code);
}

SEC("tp_btf/page_fault_kernel")
int BPF_PROG(on_page_fault_kernel, unsigned long address, struct pt_regs *regs, unsigned long code)
{
	return page_fault(address, regs->ip, code);
}
#endif

#endif
