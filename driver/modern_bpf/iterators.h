/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/*
 * What is on the machine when a capture starts: one record per task, one per open file, which the shim reads from the kernel like a
 * file. Every record begins with its length and the moment at which it was made, on the clock of the events. The numbers are those
 * of the first pid namespace. lib/scap/iterators.ts takes the records apart.
 *
 * Arguments and environments are not in them. What copies the memory of another process into a program waits for whatever that memory
 * is a mapping of, and so for a file system that anybody may have made up to keep us waiting; /proc takes care not to.
 */
#ifndef ITERATORS_H
#define ITERATORS_H

#define PIDTYPE_SID 3
#define CGROUP_LINKS 32
#define O_CLOEXEC 02000000
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define AF_UNIX 1
#define AF_INET6 10

/* Begins a record. */
static __always_inline struct event *iterator_record(void)
{
	struct event *e = scratch_of(SCRATCH_ITERATOR);

	if (!e)
		return NULL;
	e->pos = 4;
	add_u64(e, settings.boot_time + bpf_ktime_get_boot_ns());
	return e;
}

/* Ends it. When there is no room, the kernel hands out what it has and asks for this record again. */
static __always_inline int iterator_emit(struct seq_file *seq, struct event *e)
{
	u32 len = e->pos;

	*(u32 *)&e->data[0] = len;
	asm volatile("" : "+r"(len));
	len &= POS_MASK;
	bpf_seq_write(seq, e->data, len);
	return 0;
}

/* Room for the length of a text; the text follows. */
static __always_inline void open_text(struct event *e)
{
	e->start = e->pos;
	add_u16(e, 0);
}

static __always_inline void close_text(struct event *e)
{
	*(u16 *)&e->data[e->start & POS_MASK] = e->pos - e->start - 2;
}

/* The path of a dentry below a mount, with its NUL; what is deleted has a 1 behind it, else a 0. */
static __always_inline void add_place(struct event *e, struct dentry *dentry, struct vfsmount *mnt)
{
	open_text(e);
	if (dentry && mnt)
		add_path(e->kind, (u64)dentry, (u64)mnt);
	close_text(e);
	add_u8(e, dentry && !KREAD(dentry, d_hash.pprev) && KREAD(dentry, d_parent) != dentry);
}

/* Number of a pid in the first namespace. */
static __always_inline u32 outermost_number(struct pid *pid)
{
	return pid ? KREAD(pid, numbers[0].nr) : 0;
}

/* Number of a pid in the namespace of another one; 0 when it has none there. */
static __always_inline u32 number_beside(struct pid *pid, struct pid *other)
{
	u32 level = KREAD(other, level);
	struct upid *there = &pid->numbers[0] + (level & 31);

	return pid && level <= KREAD(pid, level) ? KREAD(there, nr) : 0;
}

/* One cgroup of the set: the number of its hierarchy, and its path with its length. */
LOOP_TURN(add_cgroup_link)
{
	struct list_head *at = e->walk.mount;
	struct cgrp_cset_link *link;
	struct cgroup *cgroup;
	u32 hierarchy;

	if (!at || at == (void *)e->array)
		return 1;
	link = (struct cgrp_cset_link *)((char *)at - bpf_core_field_offset(struct cgrp_cset_link, cgrp_link));
	e->walk.mount = KREAD(at, next);
	cgroup = KREAD(link, cgrp);
	if (!cgroup)
		return 1;
	hierarchy = KREAD(cgroup, root, hierarchy_id);
	add_u32(e, hierarchy);
	open_text(e);
	add_cgroup_path(e->kind, (u64)KREAD(cgroup, kn));
	close_text(e);
	return 0;
}

static __always_inline void add_cgroups(struct event *e, struct task_struct *task)
{
	struct css_set *set = KREAD(task, cgroups);
	u32 at = e->pos;

	add_u16(e, 0);
	e->array = (u64)&set->cgrp_links;
	e->walk.mount = KREAD(set, cgrp_links.next);
	LOOP(e, add_cgroup_link, CGROUP_LINKS);
	*(u16 *)&e->data[at & POS_MASK] = e->pos - at - 2;
}

static __always_inline void add_executable(struct event *e, struct file *exe)
{
	struct inode *inode = KREAD(exe, f_inode);
	struct dentry *dentry = KREAD(exe, f_path.dentry);

	add_place(e, dentry, KREAD(exe, f_path.mnt));
	add_u64(e, KREAD(inode, i_ino));
	add_u64(e, exe ? change_time(inode) : 0);
	add_u64(e, exe ? modification_time(inode) : 0);
	add_u32(e, KREAD(inode, i_mode));
	add_u32(e, KREAD(inode, i_uid.val));
	add_u32(e, KREAD(inode, i_gid.val));
	add_u8(e, exe ? overlay_layer(inode, dentry, 1, 2) : 0);
}

SEC("iter/task")
int iterate_tasks(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	const struct cred *cred;
	struct signal_struct *signal;
	struct mm_struct *mm;
	struct fs_struct *fs;
	struct pid *pgid;
	struct event *e;

	if (!task)
		return 0;
	e = iterator_record();
	if (!e)
		return 0;
	mm = KREAD(task, mm);
	add_u32(e, KREAD(task, pid));
	add_u32(e, KREAD(task, tgid));
	/* Of threads of the kernel, and of tasks that have ended, it is told that they are there. */
	if (!mm || KREAD(task, flags) & PF_KTHREAD)
		return iterator_emit(seq, e);
	cred = KREAD(task, real_cred);
	signal = KREAD(task, signal);
	fs = KREAD(task, fs);
	pgid = KREAD(signal, pids[PIDTYPE_PGID]);
	if (bpf_core_field_exists(task->start_boottime))
		add_u64(e, settings.boot_time + KREAD(task, start_boottime));
	else
		add_u64(e, settings.boot_time + KREAD((struct task_struct___old *)task, real_start_time));
	add_u32(e, KREAD(task, real_parent, tgid));
	add_u32(e, outermost_number(KREAD(signal, pids[PIDTYPE_SID])));
	add_u32(e, outermost_number(pgid));
	add_u32(e, number_beside(pgid, KREAD(task, thread_pid)));
	add_u32(e, virtual_tid(task));
	add_u32(e, virtual_pid(task));
	add_u32(e, KREAD(cred, euid.val));
	add_u32(e, KREAD(cred, egid.val));
	add_u32(e, bpf_core_field_exists(task->loginuid) ? KREAD(task, loginuid.val) : 0xffffffff);
	add_u32(e, terminal(task));
	add_u64(e, KREAD(signal, rlim[RLIMIT_NOFILE].rlim_cur));
	add_u64(e, cred_capability(cred, CAP_INHERITABLE));
	add_u64(e, cred_capability(cred, CAP_PERMITTED));
	add_u64(e, cred_capability(cred, CAP_EFFECTIVE));
	add_u32(e, mm_size(mm));
	add_u32(e, mm_rss(mm));
	add_u32(e, mm_swap(mm));
	add_u64(e, KREAD(task, maj_flt));
	add_u64(e, KREAD(task, min_flt));
	/* Those of threads that have ended. */
	add_u64(e, KREAD(signal, maj_flt));
	add_u64(e, KREAD(signal, min_flt));
	open_text(e);
	add_kernel_str(e, task->comm);
	close_text(e);
	add_executable(e, KREAD(mm, exe_file));
	add_place(e, KREAD(fs, pwd.dentry), KREAD(fs, pwd.mnt));
	add_place(e, KREAD(fs, root.dentry), KREAD(fs, root.mnt));
	add_cgroups(e, task);
	return iterator_emit(seq, e);
}

static __always_inline bool closes_on_exec(struct fdtable *table, u32 fd)
{
	unsigned long *bits = KREAD(table, close_on_exec), word = 0;

	bpf_probe_read_kernel(&word, sizeof word, &bits[fd / 64]);
	return word >> (fd & 63) & 1;
}

/* Both ends of a socket, in host order where /proc/net has it; for unix sockets their addresses in the kernel and the name. */
static __always_inline void add_socket(struct event *e, struct socket *socket)
{
	struct sock *sk = KREAD(socket, sk);
	u16 family = KREAD(sk, __sk_common.skc_family);

	add_u16(e, sk ? family : 0);
	add_u16(e, KREAD(sk, sk_type));
	add_u16(e, KREAD(sk, sk_protocol));
	add_u8(e, KREAD(sk, __sk_common.skc_state));
	if (family == AF_UNIX) {
		struct unix_sock *u = (struct unix_sock *)sk;
		struct unix_address *address = KREAD(u, addr);
		u32 len = KREAD(address, len);

		add_u64(e, (u64)sk);
		add_u64(e, (u64)KREAD(u, peer));
		open_text(e);
		if (address && len > 2 && len <= 110)
			add_kernel_bytes(e, address->name[0].sun_path, (len - 2) & 127);
		close_text(e);
		return;
	}
	add_u16(e, KREAD(sk, __sk_common.skc_num));
	add_u16(e, KREAD(sk, __sk_common.skc_dport));
	if (family == AF_INET6) {
		add_kernel_bytes(e, &sk->__sk_common.skc_v6_rcv_saddr, 16);
		add_kernel_bytes(e, &sk->__sk_common.skc_v6_daddr, 16);
	} else {
		add_u32(e, KREAD(sk, __sk_common.skc_rcv_saddr));
		add_u32(e, KREAD(sk, __sk_common.skc_daddr));
	}
}

SEC("iter/task_file")
int iterate_files(struct bpf_iter__task_file *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct inode *inode;
	struct event *e;
	u32 flags, mode, fd = ctx->fd;
	long len;

	/* Threads with descriptors of their own are not told of, as in /proc/PID/fd. */
	if (!task || !file || KREAD(task, pid) != KREAD(task, tgid))
		return 0;
	e = iterator_record();
	if (!e)
		return 0;
	inode = KREAD(file, f_inode);
	mode = KREAD(inode, i_mode);
	flags = KREAD(file, f_flags) & ~O_CLOEXEC;
	if (closes_on_exec(KREAD(task, files, fdt), fd))
		flags |= O_CLOEXEC;
	add_u32(e, KREAD(task, pid));
	add_u32(e, fd);
	add_u64(e, KREAD(inode, i_ino));
	add_u32(e, stat_device(KREAD(inode, i_sb, s_dev)));
	add_u32(e, mode);
	add_u32(e, flags);
	open_text(e);
	len = bpf_d_path(&file->f_path, (char *)e->path, PATH_MAX);
	if (len > 1)
		add_kernel_bytes(e, e->path, (len - 1) & (PATH_MAX - 1));
	close_text(e);
	if ((mode & S_IFMT) == S_IFSOCK)
		add_socket(e, KREAD(file, private_data));
	return iterator_emit(seq, e);
}

#endif
