/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Small functions that driver/schema/fillers.json names: values that are neither the return value nor a plain argument. */
#ifndef VALUES_H
#define VALUES_H

#define O_ACCMODE 3
#define O_CREAT 0x40
/* The bit that O_TMPFILE adds to O_DIRECTORY. */
#define O_TMPFILE_BIT 0x400000
#define PAGE_SHIFT 12

/* Open flags with the access mode; a temporary file is no directory although the kernel's flag contains that one. */
static __always_inline u32 to_open_mode_flags(u32 flags)
{
	u32 r = to_open_flags(flags);
	u32 mode = flags & O_ACCMODE;

	if (flags & O_TMPFILE_BIT)
		r &= ~0x400u;
	return r | (mode == 0 ? 1 : mode == 1 ? 2 : 3);
}

/* Mode of a file to be created; 0 when the call creates none. */
static __always_inline u32 open_mode(struct event *e, u32 flags, u32 mode)
{
	return flags & (O_CREAT | O_TMPFILE_BIT) ? mode : 0;
}

static __always_inline u32 mode(struct event *e, u32 v)
{
	return v & 07777;
}

/* A device number as the kernel keeps it: 12 bits of major above 20 bits of minor. */
static __always_inline u32 device(struct event *e, u32 v)
{
	u32 major = (v >> 8) & 0xfff, minor = (v & 0xff) | ((v >> 12) & 0xfff00);

	return major << 20 | minor;
}

static __always_inline u32 mount_flags(struct event *e, u32 v)
{
	/* Programs from before Linux 2.4 put a magic number in the upper half. */
	return (v & 0xffff0000) == 0xc0ed0000 ? v & 0xffff : v;
}

static __always_inline u64 on_success(struct event *e, u64 v)
{
	return e->ret >= 0 ? v : 0;
}

/* A file offset that is one signed long. */
static __always_inline u64 offset(struct event *e, u64 v)
{
	return e->compat ? (u64)(s64)(s32)v : v;
}

static __always_inline u64 pair(struct event *e, u32 low, u32 high)
{
	return (u64)high << 32 | low;
}

/* Offset behind a pointer, 0 without one. */
static __always_inline u64 user_offset(struct event *e, u64 addr)
{
	return user_u64(e, addr);
}

/* timespec in ns; 0 when it cannot be read. */
static __always_inline u64 user_time(struct event *e, u64 addr)
{
	if (e->compat && !e->time64) {
		s32 t[2] = {};

		user_read(t, sizeof t, addr);
		return (s64)t[0] * 1000000000ll + t[1];
	}
	s64 t[2] = {};

	user_read(t, sizeof t, addr);
	return t[0] * 1000000000ll + t[1];
}

/* One of the two limits of a struct rlimit: `which` 0 soft, 1 hard. prlimit64 has 64-bit limits everywhere. */
static __always_inline s64 limit_at(struct event *e, u64 addr, u32 which, s64 absent)
{
	if (!addr)
		return absent;
	if (e->compat) {
		u32 v = 0;

		if (!user_read(&v, sizeof v, addr + 4 * which))
			return absent;
		return v == 0xffffffff ? -1 : (s64)v;
	}
	s64 v = 0;

	return user_read(&v, sizeof v, addr + 8 * which) ? v : absent;
}

static __always_inline s64 rlimit(struct event *e, u64 addr, u32 which)
{
	return limit_at(e, addr, which, -1);
}

static __always_inline s64 rlimit_on_success(struct event *e, u64 addr, u32 which)
{
	return e->ret < 0 ? -1 : limit_at(e, addr, which, -1);
}

static __always_inline s64 limit64_at(u64 addr, u32 which, s64 absent)
{
	s64 v = 0;

	return user_read(&v, sizeof v, addr ? addr + 8 * which : 0) ? v : absent;
}

/* The new limits of prlimit64: 0 when none are given. */
static __always_inline s64 new_limit(struct event *e, u64 addr, u32 which)
{
	return limit64_at(addr, which, 0);
}

static __always_inline s64 old_limit(struct event *e, u64 addr, u32 which)
{
	return e->ret < 0 ? -1 : limit64_at(addr, which, addr ? -1 : 0);
}

static __always_inline u32 sigset(struct event *e, u64 flags, u64 addr)
{
	/* IORING_ENTER_EXT_ARG: the argument is a structure that begins with the address of the mask. */
	if (flags & 8)
		addr = user_u64(e, addr);
	return user_u32(e, addr);
}

static __always_inline s32 semctl_value(struct event *e, u32 cmd, u64 v)
{
	return (cmd & ~0x100u) == 16 /* SETVAL */ ? v : 0;
}

#define NR_COUNTERS_SWAP 2

static __always_inline s64 rss_counter(struct mm_struct *mm, u32 which)
{
	s64 v;

	if (bpf_core_type_exists(struct mm_rss_stat)) {
		struct mm_struct___old *old = (struct mm_struct___old *)mm;

		v = which == 0   ? KREAD(old, rss_stat.count[0].counter)
		    : which == 1 ? KREAD(old, rss_stat.count[1].counter)
		    : which == 2 ? KREAD(old, rss_stat.count[2].counter)
				 : KREAD(old, rss_stat.count[3].counter);
	} else
		v = which == 0   ? KREAD(mm, rss_stat[0].count)
		    : which == 1 ? KREAD(mm, rss_stat[1].count)
		    : which == 2 ? KREAD(mm, rss_stat[2].count)
				 : KREAD(mm, rss_stat[3].count);
	/* Counters are summed up late and can be below zero for a moment. */
	return v < 0 ? 0 : v;
}

/* Memory of a task in KiB; 0 for kernel threads. */
static __always_inline u32 mm_size(struct mm_struct *mm)
{
	return mm ? KREAD(mm, total_vm) << (PAGE_SHIFT - 10) : 0;
}

static __always_inline u32 mm_rss(struct mm_struct *mm)
{
	return mm ? (rss_counter(mm, 0) + rss_counter(mm, 1) + rss_counter(mm, 3)) << (PAGE_SHIFT - 10) : 0;
}

static __always_inline u32 mm_swap(struct mm_struct *mm)
{
	return mm ? rss_counter(mm, NR_COUNTERS_SWAP) << (PAGE_SHIFT - 10) : 0;
}

static __always_inline u32 vm_size(struct event *e)
{
	return mm_size(KREAD(current(e), mm));
}

static __always_inline u32 vm_rss(struct event *e)
{
	return mm_rss(KREAD(current(e), mm));
}

static __always_inline u32 vm_swap(struct event *e)
{
	return mm_swap(KREAD(current(e), mm));
}

#define CAP_INHERITABLE 0
#define CAP_PERMITTED 1
#define CAP_EFFECTIVE 2

static __always_inline u64 cred_capability(const struct cred *cred, u32 which)
{
	kernel_cap_t v = {};
	u64 bits;

	if (which == CAP_INHERITABLE)
		bpf_core_read(&v, sizeof v, &cred->cap_inheritable);
	else if (which == CAP_PERMITTED)
		bpf_core_read(&v, sizeof v, &cred->cap_permitted);
	else
		bpf_core_read(&v, sizeof v, &cred->cap_effective);
	/* Two 32-bit words or one of 64 bits: the same bytes. */
	__builtin_memcpy(&bits, &v, sizeof bits);
	return bits;
}

static __always_inline u64 capability(struct event *e, u32 which)
{
	return cred_capability(KREAD(current(e), cred), which);
}

#endif
