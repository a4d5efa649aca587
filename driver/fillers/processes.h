/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Processes: clone and its kin in the view of parent and child, execve, exit. */
#ifndef PROCESSES_H
#define PROCESSES_H

#define PIDTYPE_PGID 2
#define RLIMIT_NOFILE 7
#define PF_EXITING 0x4
#define PF_KTHREAD 0x200000
#define CLONE_CHILD_IN_PIDNS 0x20000000
#define EXE_WRITABLE 1
#define EXE_UPPER_LAYER 2
#define EXE_FROM_MEMFD 4
#define EXE_LOWER_LAYER 8
#define S_IWUSR 0200
#define S_IWGRP 0020
#define S_IWOTH 0002
#define S_IMMUTABLE 8
#define CAP_DAC_OVERRIDE 1
/* "memfd:" read as a little-endian number. */
#define MEMFD_PREFIX 0x3a64666d656dull

/* Number of a pid in the innermost namespace it has one in. */
static __always_inline s32 innermost_number(struct pid *pid)
{
	u32 level = KREAD(pid, level);
	struct upid *last = &pid->numbers[0] + (level & 31);

	return pid ? KREAD(last, nr) : 0;
}

static __always_inline struct pid_namespace *pid_namespace_of(struct pid *pid)
{
	u32 level = KREAD(pid, level);
	struct upid *last = &pid->numbers[0] + (level & 31);

	return KREAD(last, ns);
}

static __always_inline s32 virtual_tid(struct task_struct *task)
{
	return innermost_number(KREAD(task, thread_pid));
}

static __always_inline s32 virtual_pid(struct task_struct *task)
{
	return innermost_number(KREAD(task, group_leader, thread_pid));
}

/* ns after boot at which the first process of the task's pid namespace began. */
static __always_inline u64 pidns_start(struct task_struct *task)
{
	struct pid_namespace *ns = pid_namespace_of(KREAD(task, thread_pid));
	struct task_struct *reaper = KREAD(ns, child_reaper);

	if (bpf_core_field_exists(reaper->start_boottime))
		return KREAD(reaper, start_boottime);
	return KREAD((struct task_struct___old *)reaper, real_start_time);
}

static __always_inline void add_cgroup(struct event *e, struct css_set *set, struct kernfs_node *unified, void *unified_root, u32 id, const char *label, u32 label_len)
{
	struct cgroup *cgroup = KREAD(set, subsys[0], cgroup);
	struct cgroup_subsys_state *css = NULL;
	struct kernfs_node *node;

	bpf_probe_read_kernel(&css, sizeof css, (char *)set + bpf_core_field_offset(struct css_set, subsys) + 8 * (id & 15));
	cgroup = KREAD(css, cgroup);
	if (!cgroup)
		return;
	/* In the unified hierarchy a controller may be off below some level; the process is in its cgroup all the same. */
	node = KREAD(cgroup, root) == unified_root ? unified : KREAD(cgroup, kn);
	add_kernel_bytes(e, label, label_len);
	add_cgroup_path(e->kind, (u64)node);
}

/* `controller=path` with a NUL each, for the controllers that limit what a process gets. */
static __always_inline void push_cgroups(struct event *e, struct task_struct *task)
{
	struct css_set *set = KREAD(task, cgroups);
	struct cgroup *unified = KREAD(set, dfl_cgrp);
	struct kernfs_node *node = KREAD(unified, kn);
	void *root = KREAD(unified, root);

	open_param(e);
#define ADD_CGROUP(name)                                                                                                       \
	do {                                                                                                                   \
		static const char label[] = #name "=";                                                                         \
		if (bpf_core_enum_value_exists(enum cgroup_subsys_id, name##_cgrp_id))                                         \
			add_cgroup(e, set, node, root, bpf_core_enum_value(enum cgroup_subsys_id, name##_cgrp_id), label,      \
				   sizeof label - 1);                                                                          \
	} while (0)
	ADD_CGROUP(cpuset);
	ADD_CGROUP(cpu);
	ADD_CGROUP(cpuacct);
	ADD_CGROUP(io);
	ADD_CGROUP(memory);
	close_param(e);
}

/* Parameters exe and args of a process from its own memory: the text before and after the first NUL. */
static __always_inline void push_own_args(struct event *e, struct mm_struct *mm)
{
	u64 start = KREAD(mm, arg_start), end = KREAD(mm, arg_end);
	u32 size = end - start < PATH_MAX - 1 ? end - start : PATH_MAX - 1;
	u32 exe;

	if (!mm || end <= start) {
		push_empty(e);
		push_empty(e);
		return;
	}
	open_param(e);
	exe = add_user_str(e, start);
	close_param(e);
	open_param(e);
	if (exe < size)
		add_user_bytes(e, start + exe, (size - exe) & (PATH_MAX - 1));
	close_param(e);
}

static __always_inline void push_own_env(struct event *e, struct mm_struct *mm)
{
	u64 start = KREAD(mm, env_start), end = KREAD(mm, env_end);
	u32 size = end - start < PATH_MAX - 1 ? end - start : PATH_MAX - 1;

	push_user_bytes(e, start, mm && end > start ? size & (PATH_MAX - 1) : 0);
}

#define ARGV_MAX 256

LOOP_TURN(add_argument)
{
	u64 text = user_word(e, e->array);

	e->array += e->compat ? 4 : 8;
	if (!text || add_user_str(e, text) == 0)
		return 1;
	if (e->pos - e->from >= PATH_MAX) {
		e->pos = e->from + PATH_MAX - 1;
		return 1;
	}
	return 0;
}

/* Adds the strings of a NULL-terminated array of user pointers from `first` on, PATH_MAX bytes in all. */
SHARED add_user_array(u32 kind, u64 array, u32 first)
{
	SHARED_EVENT(e, kind);

	e->array = array + (u64)first * (e->compat ? 4 : 8);
	e->from = e->pos;
	LOOP(e, add_argument, ARGV_MAX);
	return 0;
}

/* Controlling terminal as a device number; 0 without one. */
static __always_inline u32 terminal(struct task_struct *task)
{
	struct tty_struct *tty = KREAD(task, signal, tty);
	struct tty_driver *driver = KREAD(tty, driver);

	if (!tty)
		return 0;
	return stat_device((u32)KREAD(driver, major) << 20 | (u32)(KREAD(driver, minor_start) + KREAD(tty, index)));
}

/* Whether the task could write to the file it runs: its bits for user, group and others, or the right to ignore them. */
static __always_inline bool may_write(const struct cred *cred, struct inode *inode)
{
	u16 mode = KREAD(inode, i_mode);

	if (KREAD(inode, i_sb, s_flags) & 1 /* read-only */ || KREAD(inode, i_flags) & S_IMMUTABLE)
		return false;
	if (cred_capability(cred, CAP_EFFECTIVE) >> CAP_DAC_OVERRIDE & 1)
		return true;
	if (KREAD(inode, i_uid.val) == KREAD(cred, fsuid.val))
		return mode & S_IWUSR;
	if (KREAD(inode, i_gid.val) == KREAD(cred, fsgid.val))
		return mode & S_IWGRP;
	return mode & S_IWOTH;
}

static __always_inline u32 exe_flags(const struct cred *cred, struct file *exe, struct inode *inode)
{
	struct dentry *dentry = KREAD(exe, f_path.dentry);
	u64 name = 0;
	u32 flags = 0;

	if (!exe)
		return 0;
	if (may_write(cred, inode))
		flags |= EXE_WRITABLE;
	flags |= overlay_layer(inode, dentry, EXE_UPPER_LAYER, EXE_LOWER_LAYER);
	bpf_probe_read_kernel(&name, 6, KREAD(dentry, d_name.name));
	if (KREAD(dentry, d_parent) == dentry && name == MEMFD_PREFIX)
		flags |= EXE_FROM_MEMFD;
	return flags;
}

static __always_inline u64 nanoseconds(s64 sec, u64 nsec)
{
	return sec * 1000000000ll + nsec;
}

static __always_inline u64 change_time(struct inode *inode)
{
	if (bpf_core_field_exists(inode->i_ctime_sec))
		/* The top bit says that somebody has asked for the time. */
		return nanoseconds(KREAD(inode, i_ctime_sec), KREAD(inode, i_ctime_nsec) & 0x7fffffff);
	if (bpf_core_field_exists(((struct inode___one *)inode)->__i_ctime))
		return nanoseconds(KREAD((struct inode___one *)inode, __i_ctime.tv_sec), KREAD((struct inode___one *)inode, __i_ctime.tv_nsec));
	return nanoseconds(KREAD((struct inode___old *)inode, i_ctime.tv_sec), KREAD((struct inode___old *)inode, i_ctime.tv_nsec));
}

static __always_inline u64 modification_time(struct inode *inode)
{
	if (bpf_core_field_exists(inode->i_mtime_sec))
		return nanoseconds(KREAD(inode, i_mtime_sec), KREAD(inode, i_mtime_nsec));
	if (bpf_core_field_exists(((struct inode___two *)inode)->__i_mtime))
		return nanoseconds(KREAD((struct inode___two *)inode, __i_mtime.tv_sec), KREAD((struct inode___two *)inode, __i_mtime.tv_nsec));
	return nanoseconds(KREAD((struct inode___old *)inode, i_mtime.tv_sec), KREAD((struct inode___old *)inode, i_mtime.tv_nsec));
}

/* Parameters 3 to 14, the same in clone and execve events: ids, limits, faults, memory, comm, cgroups. */
static __always_inline void push_task(struct event *e, struct task_struct *task, struct mm_struct *mm)
{
	push_u64(e, (s64)KREAD(task, pid));
	push_u64(e, (s64)KREAD(task, tgid));
	push_u64(e, (s64)KREAD(task, real_parent, pid));
	/* The working directory is known to whoever follows chdir. */
	push_empty(e);
	push_u64(e, KREAD(task, signal, rlim[RLIMIT_NOFILE].rlim_cur));
	push_u64(e, KREAD(task, maj_flt));
	push_u64(e, KREAD(task, min_flt));
	push_u32(e, mm_size(mm));
	push_u32(e, mm_rss(mm));
	push_u32(e, mm_swap(mm));
	push_kernel_str(e, task->comm);
	push_cgroups(e, task);
}

/* Whether the process a task creates (or, seen from the child, is) has a pid namespace of its own below the first. */
static __always_inline u32 in_pid_namespace(struct task_struct *task)
{
	if (KREAD(task, thread_pid, level) != 0 || KREAD(task, nsproxy, pid_ns_for_children, level) != 0)
		return CLONE_CHILD_IN_PIDNS;
	return 0;
}

/* Everything of a clone event but its header. `task` is the caller, or the child in its own view. */
static __always_inline void push_clone(struct event *e, struct task_struct *task, u64 flags, u64 pidns)
{
	struct mm_struct *mm = KREAD(task, mm);
	const struct cred *cred = KREAD(task, cred);

	push_u64(e, e->ret);
	push_own_args(e, mm);
	push_task(e, task, mm);
	push_u32(e, to_clone_flags(flags) | in_pid_namespace(task));
	push_u32(e, KREAD(cred, euid.val));
	push_u32(e, KREAD(cred, egid.val));
	push_u64(e, (s64)virtual_tid(task));
	push_u64(e, (s64)virtual_pid(task));
	push_u64(e, pidns);
}

/* The child's view comes from sched_process_fork, so its return from the call is not another event. */
#define CALLER_ONLY(e)                                                                                                         \
	do {                                                                                                                   \
		if ((e)->ret == 0)                                                                                             \
			return SKIP;                                                                                           \
	} while (0)

FILLER(CLONE_20_X)
{
	CALLER_ONLY(e);
	push_clone(e, current(e), e->args[0], 0);
	return EMIT;
}

FILLER(CLONE3_X)
{
	CALLER_ONLY(e);
	push_clone(e, current(e), user_u64(e, e->args[0]), 0);
	return EMIT;
}

FILLER(FORK_20_X)
{
	CALLER_ONLY(e);
	push_clone(e, current(e), 0, 0);
	return EMIT;
}

FILLER(VFORK_20_X)
{
	CALLER_ONLY(e);
	push_clone(e, current(e), 0, 0);
	return EMIT;
}

/* Parameters 16 to 29 of execve events. */
static __always_inline void push_exec(struct event *e, struct task_struct *task, struct mm_struct *mm)
{
	const struct cred *cred = KREAD(task, cred);
	struct file *exe = KREAD(mm, exe_file);
	struct inode *inode = KREAD(exe, f_inode);
	struct pid *pgid = KREAD(task, signal, pids[PIDTYPE_PGID]);

	push_u32(e, terminal(task));
	push_u64(e, (s64)innermost_number(pgid));
	push_u32(e, KREAD(task, loginuid.val));
	push_u32(e, exe_flags(cred, exe, inode));
	push_u64(e, cred_capability(cred, CAP_INHERITABLE));
	push_u64(e, cred_capability(cred, CAP_PERMITTED));
	push_u64(e, cred_capability(cred, CAP_EFFECTIVE));
	push_u64(e, KREAD(inode, i_ino));
	push_u64(e, change_time(inode));
	push_u64(e, modification_time(inode));
	push_u32(e, KREAD(cred, euid.val));
	push_file_path(e, exe);
	push_u64(e, (s64)KREAD(pgid, numbers[0].nr));
	push_u32(e, KREAD(cred, egid.val));
}

/* A failed execve: the caller goes on as it was; exe, args and env are those it asked for. */
static __always_inline void push_failed_exec(struct event *e, u64 argv, u64 envp)
{
	struct task_struct *task = current(e);
	struct mm_struct *mm = KREAD(task, mm);

	push_u64(e, e->ret);
	push_user_str(e, argv ? user_word(e, argv) : 0);
	open_param(e);
	if (argv && user_word(e, argv))
		add_user_array(e->kind, argv, 1);
	close_param(e);
	push_task(e, task, mm);
	open_param(e);
	if (envp)
		add_user_array(e->kind, envp, 0);
	close_param(e);
	push_exec(e, task, mm);
}

/* Success comes from sched_process_exec, where the name of the file is still known. */
FILLER(EXECVE_19_X)
{
	if (e->ret == 0)
		return SKIP;
	push_failed_exec(e, e->args[1], e->args[2]);
	push_user_str(e, e->args[0]);
	return EMIT;
}

FILLER(EXECVEAT_X)
{
	if (e->ret == 0)
		return SKIP;
	push_failed_exec(e, e->args[2], e->args[3]);
	return EMIT;
}

LOOP_TURN(look_at_thread)
{
	struct list_head *at = e->walk.node;
	struct task_struct *t;

	if (!at || at == e->walk.root)
		return 1;
	t = (struct task_struct *)((char *)at - bpf_core_field_offset(struct task_struct, thread_node));
	if (!(KREAD(t, flags) & PF_EXITING)) {
		e->total = KREAD(t, pid);
		return 1;
	}
	e->walk.node = KREAD(at, next);
	return 0;
}

/* Id of a thread of the group (its struct signal_struct) that lives on; 0 when there is none among the first. */
SHARED live_thread(u32 kind, u64 signal_at)
{
	struct signal_struct *signal = (struct signal_struct *)signal_at;
	SHARED_EVENT(e, kind);

	e->walk.root = &signal->thread_head;
	e->walk.node = KREAD(signal, thread_head.next);
	e->total = 0;
	LOOP(e, look_at_thread, 32);
	return e->total;
}

LOOP_TURN(look_at_ancestor)
{
	struct task_struct *child = e->walk.mount;
	struct task_struct *task = KREAD(child, real_parent);
	struct signal_struct *signal = KREAD(task, signal);

	e->walk.mount = task;
	if (!task || KREAD(task, pid) == 0 || pid_namespace_of(KREAD(task, thread_pid)) != (void *)e->array)
		return 1;
	if (!BPF_CORE_READ_BITFIELD_PROBED(signal, is_child_subreaper))
		return 0;
	return live_thread(e->kind, (u64)signal) != 0;
}

/* Who gets the children of a task that ends: 0 when it has none, or when its whole namespace ends with it. */
static __always_inline s32 reaper_of(struct event *e, struct task_struct *task)
{
	struct signal_struct *signal = KREAD(task, signal);
	struct pid_namespace *ns = pid_namespace_of(KREAD(task, thread_pid));
	struct task_struct *init = KREAD(ns, child_reaper);
	s32 tid;

	if (KREAD(task, children.next) == &task->children)
		return 0;
	tid = live_thread(e->kind, (u64)signal);
	if (tid)
		return tid;
	if (init == task)
		return 0;
	e->walk.mount = task;
	e->array = (u64)ns;
	LOOP(e, look_at_ancestor, 32);
	if (e->total)
		return e->total;
	return KREAD(init, pid);
}

static __always_inline void push_process_exit(struct event *e, struct task_struct *task)
{
	u32 code = KREAD(task, exit_code);

	push_u64(e, (s64)(s32)code);
	push_u64(e, (code >> 8) & 0xff);
	push_u8(e, code & 0x7f);
	push_u8(e, code & 0x80 ? 1 : 0);
	push_u64(e, (s64)reaper_of(e, task));
}

#endif
