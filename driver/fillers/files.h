/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Calls that open files, and pipes. */
#ifndef FILES_H
#define FILES_H

FILLER(OPEN_X)
{
	struct opened o;

	look_at_opened(e, &o);
	push_u64(e, e->ret);
	push_user_str(e, e->args[0]);
	push_u32(e, to_open_mode_flags(e->args[1]) | o.flags);
	push_u32(e, open_mode(e, e->args[1], e->args[2]));
	push_u32(e, o.dev);
	push_u64(e, o.ino);
	return EMIT;
}

FILLER(OPENAT_2_X)
{
	struct opened o;

	look_at_opened(e, &o);
	push_u64(e, e->ret);
	push_u64(e, (s64)(s32)e->args[0]);
	push_user_str(e, e->args[1]);
	push_u32(e, to_open_mode_flags(e->args[2]) | o.flags);
	push_u32(e, open_mode(e, e->args[2], e->args[3]));
	push_u32(e, o.dev);
	push_u64(e, o.ino);
	return EMIT;
}

struct open_how {
	u64 flags, mode, resolve;
};

ENTER_FILLER(OPENAT2_E)
{
	struct open_how how = {};

	user_read(&how, sizeof how, e->args[2]);
	push_u64(e, (s64)(s32)e->args[0]);
	push_user_str(e, e->args[1]);
	push_u32(e, to_open_mode_flags(how.flags));
	push_u32(e, open_mode(e, how.flags, how.mode));
	push_u32(e, to_resolve(how.resolve));
	return EMIT;
}

FILLER(OPENAT2_X)
{
	struct open_how how = {};
	struct opened o;

	user_read(&how, sizeof how, e->args[2]);
	look_at_opened(e, &o);
	push_u64(e, e->ret);
	push_u64(e, (s64)(s32)e->args[0]);
	push_user_str(e, e->args[1]);
	push_u32(e, to_open_mode_flags(how.flags) | o.flags);
	push_u32(e, open_mode(e, how.flags, how.mode));
	push_u32(e, to_resolve(how.resolve));
	push_u32(e, o.dev);
	push_u64(e, o.ino);
	return EMIT;
}

FILLER(CREAT_X)
{
	struct opened o;

	look_at_opened(e, &o);
	push_u64(e, e->ret);
	push_user_str(e, e->args[0]);
	push_u32(e, e->args[1]);
	push_u32(e, o.dev);
	push_u64(e, o.ino);
	push_u16(e, o.flags & FD_UPPER_LAYER ? 1 : o.flags & FD_LOWER_LAYER ? 2 : 0);
	return EMIT;
}

FILLER(OPEN_BY_HANDLE_AT_X)
{
	struct opened o;

	look_at_opened(e, &o);
	push_u64(e, e->ret);
	push_u64(e, (s64)(s32)e->args[0]);
	push_u32(e, to_open_mode_flags(e->args[2]) | o.flags);
	push_file_path(e, e->ret < 0 ? NULL : file_of(e, e->ret));
	push_u32(e, o.dev);
	push_u64(e, o.ino);
	return EMIT;
}

/* Both ends of a new pipe and its inode; -1 and 0 when there is none. */
static __always_inline void push_pipe(struct event *e)
{
	s32 fds[2] = {-1, -1};
	struct file *file = NULL;

	if (!user_read(fds, sizeof fds, e->args[0]))
		fds[0] = fds[1] = -1;
	else if (e->ret == 0)
		file = file_of(e, fds[0]);
	push_u64(e, e->ret);
	push_u64(e, (s64)fds[0]);
	push_u64(e, (s64)fds[1]);
	push_u64(e, file ? KREAD(file, f_inode, i_ino) : 0);
}

FILLER(PIPE_X)
{
	push_pipe(e);
	return EMIT;
}

FILLER(PIPE2_X)
{
	push_pipe(e);
	push_u32(e, to_fd_flags(e->args[1]));
	return EMIT;
}

#endif
