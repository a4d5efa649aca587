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

/* Scratch for an event of a tracepoint, with its time; NULL when the event is the shim's own. */
static __always_inline struct event *tracepoint_event(u32 kind, u32 tgid)
{
	struct event *e;

	if (settings.self && tgid == settings.self)
		return NULL;
	e = scratch_for(kind);
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

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_process_fork, struct task_struct *parent, struct task_struct *child)
{
	bool compat = is_compat();
	struct pt_regs *regs = current_regs(parent);
	u32 slot = current_slot(regs, compat);
	u32 type = EV_CLONE_20_X;
	u64 flags = 0, first;
	struct event *e;

	if (KREAD(child, flags) & PF_KTHREAD || !wanted(settings.exit_wanted, slot))
		return 0;
	e = tracepoint_event(SCRATCH_MAIN, KREAD(child, tgid));
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

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_process_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	/*
	 * The number of the call is overwritten by now on every architecture. A name that was made up from a descriptor tells
	 * execveat; one given with AT_FDCWD, or absolute, means the same as with execve and passes as that.
	 */
	bool at = KREAD(bprm, fdpath) != NULL;
	struct mm_struct *mm = KREAD(task, mm);
	struct event *e;

	if (!wanted(settings.exit_wanted, at ? NR_EXECVEAT : NR_EXECVE))
		return 0;
	e = tracepoint_event(SCRATCH_MAIN, KREAD(task, tgid));
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
		push_kernel_str(e, KREAD(bprm, filename));
	return finish(e);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_process_exit, struct task_struct *task)
{
	struct event *e;

	if (KREAD(task, flags) & PF_KTHREAD)
		return 0;
	e = tracepoint_event(SCRATCH_MAIN, KREAD(task, tgid));
	if (!e)
		return 0;
	begin(e, EV_PROCEXIT_1_E, NPARAMS_PROCEXIT_1_E);
	push_process_exit(e, task);
	return finish(e);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct event *e = tracepoint_event(SCRATCH_MAIN, KREAD(prev, tgid));
	struct mm_struct *mm = KREAD(prev, mm);

	if (!e)
		return 0;
	begin_as(e, EV_SCHEDSWITCH_6_E, NPARAMS_SCHEDSWITCH_6_E, KREAD(prev, pid));
	push_u64(e, (s64)KREAD(next, pid));
	push_u64(e, KREAD(prev, maj_flt));
	push_u64(e, KREAD(prev, min_flt));
	push_u32(e, mm_size(mm));
	push_u32(e, mm_rss(mm));
	push_u32(e, mm_swap(mm));
	return finish(e);
}

#define SIGCHLD 17

/* A raw tracepoint: newer verifiers refuse the signal's information as a pointer, because it may be one of two small numbers. */
SEC("raw_tp/signal_deliver")
int on_signal_deliver(struct bpf_raw_tracepoint_args *ctx)
{
	s32 sig = *(volatile u64 *)&ctx->args[0];
	struct kernel_siginfo *info = (void *)*(volatile u64 *)&ctx->args[1];
	u64 pid_tgid = bpf_get_current_pid_tgid();
	struct event *e = tracepoint_event(SCRATCH_MAIN, pid_tgid >> 32);
	s32 code, from = 0;

	if (!e)
		return 0;
	if ((u64)info > 1) {
		code = KREAD(info, si_code);
		/* A sender is named by kill, tkill and sigqueue (0, -6, -1), by message queues (-3), and for children. */
		if (code == 0 || code == -1 || code == -3 || code == -6 || (sig == SIGCHLD && code > 0))
			from = KREAD(info, _sifields._kill._pid);
	}
	begin(e, EV_SIGNALDELIVER_E, NPARAMS_SIGNALDELIVER_E);
	push_u64(e, (s64)from);
	push_u64(e, (u32)pid_tgid);
	push_u8(e, sig);
	return finish(e);
}

#if defined(__TARGET_ARCH_x86)
/* Bits of the error code of an x86 page fault. */
#define FAULT_PROTECTION 1
#define FAULT_WRITE 2
#define FAULT_USER 4
#define FAULT_RESERVED 8
#define FAULT_FETCH 16

static __always_inline int page_fault(unsigned long address, unsigned long ip, u32 code)
{
	struct event *e = tracepoint_event(SCRATCH_FAULT, bpf_get_current_pid_tgid() >> 32);
	u32 flags = (code & FAULT_PROTECTION ? 0x1 : 0x2) | (code & FAULT_WRITE ? 0x4 : 0x8) | (code & FAULT_USER ? 0x10 : 0x20) |
		    (code & FAULT_RESERVED ? 0x40 : 0) | (code & FAULT_FETCH ? 0x80 : 0);

	if (!e)
		return 0;
	begin(e, EV_PAGE_FAULT_E, NPARAMS_PAGE_FAULT_E);
	push_u64(e, address);
	push_u64(e, ip);
	push_u32(e, flags);
	return finish(e);
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
