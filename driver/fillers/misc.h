/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Calls whose parameters depend on one of their arguments, and those that only have a number. */
#ifndef MISC_H
#define MISC_H

#define POLLFDS_MAX 16

FILLER(GENERIC_X)
{
	push_u16(e, slot_code[e->slot & (PROBE_SLOTS - 1)]);
	push_u16(e, e->nr);
	return EMIT;
}

struct pollfd {
	s32 fd;
	s16 events, revents;
};

LOOP_TURN(add_pollfd)
{
	struct pollfd p = {};

	if (i >= e->count || !user_read(&p, sizeof p, e->array + 8ull * i))
		return 1;
	add_u64(e, (s64)p.fd);
	add_u16(e, to_poll((u16)(e->ret < 0 ? p.events : p.revents)));
	e->left++;
	return 0;
}

/* A parameter of type FDLIST: what happened on each descriptor, or, when the call failed, what was waited for. */
SHARED push_fdlist(u32 kind, u64 fds, u32 n)
{
	SHARED_EVENT(e, kind);

	open_param(e);
	add_u16(e, 0);
	e->array = fds;
	e->count = n;
	e->left = 0;
	LOOP(e, add_pollfd, POLLFDS_MAX);
	*(u16 *)&e->data[e->start & POS_MASK] = e->left;
	close_param(e);
	return 0;
}

FILLER(POLL_X)
{
	push_u64(e, e->ret);
	push_fdlist(e->kind, e->args[0], e->args[1]);
	push_u64(e, (s64)(s32)e->args[2]);
	return EMIT;
}

FILLER(PPOLL_X)
{
	push_u64(e, e->ret);
	push_fdlist(e->kind, e->args[0], e->args[1]);
	push_u64(e, user_time(e, e->args[2]));
	push_u32(e, user_u32(e, e->args[3]));
	return EMIT;
}

#define PTRACE_PEEKTEXT 1
#define PTRACE_PEEKUSR 3
#define PTRACE_CONT 7
#define PTRACE_SINGLESTEP 9
#define PTRACE_DETACH 17
#define PTRACE_SYSCALL 24
#define DYN_PTRACE_U64 0
#define DYN_PTRACE_SIGNAL 1

FILLER(PTRACE_X)
{
	u64 request = e->args[0], addr = e->args[2], data = e->args[3];

	push_u64(e, e->ret);
	open_param(e);
	add_u8(e, DYN_PTRACE_U64);
	add_u64(e, e->ret < 0 ? 0 : addr);
	close_param(e);
	open_param(e);
	if (e->ret < 0) {
		add_u8(e, DYN_PTRACE_U64);
		add_u64(e, 0);
	} else if (request == PTRACE_CONT || request == PTRACE_SINGLESTEP || request == PTRACE_DETACH || request == PTRACE_SYSCALL) {
		add_u8(e, DYN_PTRACE_SIGNAL);
		add_u8(e, data);
	} else {
		add_u8(e, DYN_PTRACE_U64);
		/* The raw call stores the word it peeked at where `data` points. */
		add_u64(e, request >= PTRACE_PEEKTEXT && request <= PTRACE_PEEKUSR ? user_word(e, data) : data);
	}
	close_param(e);
	push_u16(e, to_ptrace(request));
	push_u64(e, (s64)(s32)e->args[1]);
	return EMIT;
}

/* struct sembuf */
struct sem_operation {
	u16 num;
	s16 op;
	s16 flags;
};

FILLER(SEMOP_X)
{
	struct sem_operation ops[2] = {};

	/* semop and semtimedop have the same first three arguments. */
	if (e->args[2] > 1) {
		if (!user_read(ops, sizeof ops, e->args[1]))
			user_read(ops, sizeof ops[0], e->args[1]);
	} else if (e->args[2] == 1)
		user_read(ops, sizeof ops[0], e->args[1]);
	push_u64(e, e->ret);
	push_u32(e, e->args[2]);
	push_u16(e, ops[0].num);
	push_u16(e, ops[0].op);
	push_u16(e, to_semop((u16)ops[0].flags));
	push_u16(e, ops[1].num);
	push_u16(e, ops[1].op);
	push_u16(e, to_semop((u16)ops[1].flags));
	push_u32(e, e->args[0]);
	return EMIT;
}

#define Q_QUOTAON 0x800002
#define Q_GETFMT 0x800004
#define Q_GETINFO 0x800005
#define Q_SETINFO 0x800006
#define Q_GETQUOTA 0x800007
#define Q_SETQUOTA 0x800008
#define Q_XGETQUOTA 0x5803
#define Q_XSETQLIM 0x5804

struct disk_quota {
	u64 bhardlimit, bsoftlimit, curspace, ihardlimit, isoftlimit, curinodes, btime, itime;
	u32 valid;
};
struct disk_quota_info {
	u64 bgrace, igrace;
	u32 flags, valid;
};

FILLER(QUOTACTL_X)
{
	u32 cmd = (u32)e->args[0] >> 8, type = e->args[0] & 0xff, id = e->args[2];
	bool quota = cmd == Q_GETQUOTA || cmd == Q_SETQUOTA || cmd == Q_XGETQUOTA || cmd == Q_XSETQLIM;
	struct disk_quota q = {};
	struct disk_quota_info info = {};
	u32 format = 0;

	if (e->ret >= 0 && (cmd == Q_GETQUOTA || cmd == Q_SETQUOTA))
		user_read(&q, sizeof q, e->args[3]);
	if (e->ret >= 0 && (cmd == Q_GETINFO || cmd == Q_SETINFO))
		user_read(&info, sizeof info, e->args[3]);
	if (e->ret >= 0 && cmd == Q_GETFMT)
		user_read(&format, sizeof format, e->args[3]);
	push_u64(e, e->ret);
	push_user_str(e, e->args[1]);
	push_user_str(e, cmd == Q_QUOTAON ? e->args[3] : 0);
	push_u64(e, q.bhardlimit);
	push_u64(e, q.bsoftlimit);
	push_u64(e, q.curspace);
	push_u64(e, q.ihardlimit);
	push_u64(e, q.isoftlimit);
	push_u64(e, q.btime);
	push_u64(e, q.itime);
	push_u64(e, info.bgrace);
	push_u64(e, info.igrace);
	push_u8(e, info.flags);
	push_u8(e, cmd == Q_GETFMT ? to_quota_fmt(format) : 1);
	push_u16(e, to_quotactl_cmd(cmd));
	push_u8(e, to_quotactl_types(type));
	push_u32(e, quota ? id : 0);
	push_u8(e, cmd == Q_QUOTAON ? to_quota_fmt(id) : 1);
	return EMIT;
}

/* The head of struct io_uring_params. */
struct ring_params {
	u32 sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features;
};

FILLER(IO_URING_SETUP_X)
{
	struct ring_params p = {};

	user_read(&p, sizeof p, e->args[1]);
	push_u64(e, e->ret);
	push_u32(e, e->args[0]);
	push_u32(e, p.sq_entries);
	push_u32(e, p.cq_entries);
	push_u32(e, to_io_uring_setup(p.flags));
	push_u32(e, p.sq_thread_cpu);
	push_u32(e, p.sq_thread_idle);
	push_u32(e, to_io_uring_features(p.features));
	return EMIT;
}

/* Commands of fsconfig, by what the value is. */
#define FSCONFIG_SET_STRING 1
#define FSCONFIG_SET_BINARY 2
#define FSCONFIG_SET_PATH 3
#define FSCONFIG_SET_PATH_EMPTY 4

FILLER(FSCONFIG_X)
{
	u32 cmd = e->args[1];
	u32 aux = e->args[4];

	push_u64(e, e->ret);
	push_u64(e, (s64)(s32)e->args[0]);
	push_u32(e, cmd);
	push_user_str(e, e->args[2]);
	push_user_bytes(e, e->args[3], cmd == FSCONFIG_SET_BINARY ? (aux < settings.snaplen ? aux : settings.snaplen) : 0);
	push_user_str(e, cmd == FSCONFIG_SET_STRING || cmd == FSCONFIG_SET_PATH || cmd == FSCONFIG_SET_PATH_EMPTY ? e->args[3] : 0);
	push_u32(e, aux);
	return EMIT;
}

#define PR_SET_NAME 15
#define PR_GET_CHILD_SUBREAPER 37

FILLER(PRCTL_X)
{
	u32 option = e->args[0];

	push_u64(e, e->ret);
	push_u32(e, option);
	push_user_str(e, option == PR_SET_NAME ? e->args[1] : 0);
	if (option == PR_SET_NAME)
		push_u64(e, 0);
	else if (option == PR_GET_CHILD_SUBREAPER)
		push_u64(e, (s64)(s32)user_u32(e, e->args[1]));
	else
		push_u64(e, e->compat ? (u64)(s64)(s32)e->args[1] : e->args[1]);
	return EMIT;
}

FILLER(INIT_MODULE_X)
{
	u64 size = e->args[1];

	push_u64(e, e->ret);
	push_user_bytes(e, e->args[0], size < settings.snaplen ? size : settings.snaplen);
	push_u64(e, size);
	push_user_str(e, e->args[2]);
	return EMIT;
}

#define DYN_KEYCTL_INT 0
#define DYN_KEYCTL_TEXT 1

static __always_inline void push_key_argument(struct event *e, u64 v, bool text)
{
	open_param(e);
	add_u8(e, text ? DYN_KEYCTL_TEXT : DYN_KEYCTL_INT);
	if (text && v)
		add_user_str(e, v);
	else if (text)
		add_u8(e, 0);
	else
		add_u64(e, v);
	close_param(e);
}

#define KEYCTL_JOIN_SESSION_KEYRING 1
#define KEYCTL_SEARCH 10
#define KEYCTL_RESTRICT_KEYRING 29

/* Arguments are numbers but for the text ones of a few operations. */
FILLER(KEYCTL_X)
{
	u32 operation = e->args[0];

	push_u64(e, e->ret);
	push_u32(e, operation);
	push_key_argument(e, e->args[1], operation == KEYCTL_JOIN_SESSION_KEYRING);
	push_key_argument(e, e->args[2], operation == KEYCTL_SEARCH || operation == KEYCTL_RESTRICT_KEYRING);
	push_key_argument(e, e->args[3], operation == KEYCTL_SEARCH || operation == KEYCTL_RESTRICT_KEYRING);
	push_key_argument(e, e->args[4], false);
	return EMIT;
}

#endif
