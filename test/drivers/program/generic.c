/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that give a generic event: its parameters are the code of the call and its number. One row per call, with arguments
 * that do no harm; `sc:name` is turned into the code by the reader.
 */
#include "harness.h"

#define NOWHERE 8

static char room[256];

#define ROW(name, ...) {#name, SYS_##name, {__VA_ARGS__}}

static const struct {
	const char *name;
	long nr, args[6];
} rows[] = {
	ROW(rt_sigaction, 99),
	ROW(rt_sigprocmask, 99, NOWHERE, 0, 8),
	ROW(sched_yield),
	ROW(mremap, 1),
	ROW(msync, 1),
	ROW(mincore, 1),
	ROW(madvise, 1, 1, 99),
	ROW(shmget, 0x4242, 0, 0),
	ROW(shmat, -1),
	ROW(shmctl, -1),
	ROW(getitimer, 99),
	ROW(setitimer, 99),
	ROW(getpid),
	ROW(wait4, -1, 0, 99999),
	ROW(uname, NOWHERE),
	ROW(shmdt, 1),
	ROW(msgget, 0x4242),
	ROW(msgsnd, -1, NOWHERE),
	ROW(msgrcv, -1),
	ROW(msgctl, -1),
	ROW(fsync, BAD_FD),
	ROW(fdatasync, BAD_FD),
	ROW(truncate, NOWHERE),
	ROW(ftruncate, BAD_FD),
	ROW(umask, 022),
	ROW(gettimeofday, NOWHERE),
	ROW(getrusage, 99),
	ROW(sysinfo, NOWHERE),
	ROW(times, NOWHERE),
	ROW(syslog, 99),
	ROW(getppid),
	ROW(getgroups, -1),
	ROW(setgroups, -1),
	ROW(getpgid, 0),
	ROW(setfsuid, -1),
	ROW(setfsgid, -1),
	ROW(capget, NOWHERE),
	ROW(rt_sigpending, NOWHERE, 8),
	ROW(rt_sigtimedwait, NOWHERE, 0, 0, 8),
	ROW(rt_sigqueueinfo, 0x7ffffff, 0, NOWHERE),
	ROW(rt_sigsuspend, NOWHERE, 8),
	ROW(sigaltstack, NOWHERE),
	ROW(personality, -1),
	ROW(statfs, NOWHERE),
	ROW(fstatfs, BAD_FD),
	ROW(getpriority, 99),
	ROW(setpriority, 99),
	ROW(sched_setparam, -1),
	ROW(sched_getparam, -1),
	ROW(sched_setscheduler, -1),
	ROW(sched_getscheduler, -1),
	ROW(sched_get_priority_max, 99),
	ROW(sched_get_priority_min, 99),
	ROW(sched_rr_get_interval, -1),
	ROW(pivot_root, NOWHERE),
	ROW(adjtimex, NOWHERE),
	ROW(settimeofday, NOWHERE),
	ROW(swapon, NOWHERE),
	ROW(swapoff, NOWHERE),
	ROW(reboot, 1),
	ROW(sethostname, NOWHERE, -1),
	ROW(setdomainname, NOWHERE, -1),
	ROW(gettid),
	ROW(readahead, BAD_FD),
	ROW(setxattr, NOWHERE),
	ROW(lsetxattr, NOWHERE),
	ROW(fsetxattr, BAD_FD),
	ROW(getxattr, NOWHERE),
	ROW(lgetxattr, NOWHERE),
	ROW(fgetxattr, BAD_FD),
	ROW(listxattr, NOWHERE),
	ROW(llistxattr, NOWHERE),
	ROW(flistxattr, BAD_FD),
	ROW(removexattr, NOWHERE),
	ROW(lremovexattr, NOWHERE),
	ROW(fremovexattr, BAD_FD),
	ROW(sched_setaffinity, -1),
	ROW(sched_getaffinity, -1),
	ROW(io_setup, 0),
	ROW(io_destroy, 1),
	ROW(io_getevents, 1),
	ROW(io_submit, 1),
	ROW(io_cancel, 1),
	ROW(remap_file_pages, 1),
	ROW(restart_syscall),
	ROW(semtimedop, -1),
	ROW(fadvise64, BAD_FD),
	ROW(timer_create, 99),
	ROW(timer_settime, -1),
	ROW(timer_gettime, -1),
	ROW(timer_getoverrun, -1),
	ROW(timer_delete, -1),
	ROW(clock_settime, 99),
	ROW(clock_gettime, 99),
	ROW(clock_getres, 99),
	ROW(clock_nanosleep, 99),
	ROW(epoll_ctl, BAD_FD),
	ROW(mbind, 1),
	ROW(set_mempolicy, 99),
	ROW(get_mempolicy, NOWHERE),
	ROW(mq_open, NOWHERE),
	ROW(mq_unlink, NOWHERE),
	ROW(mq_timedsend, BAD_FD),
	ROW(mq_timedreceive, BAD_FD),
	ROW(mq_notify, BAD_FD, NOWHERE),
	ROW(mq_getsetattr, BAD_FD),
	ROW(kexec_load, 0, 99),
	ROW(waitid, 99),
	ROW(add_key, NOWHERE),
	ROW(request_key, NOWHERE),
	ROW(ioprio_set, 99),
	ROW(ioprio_get, 99),
	ROW(inotify_add_watch, BAD_FD, NOWHERE, 2),
	ROW(inotify_rm_watch, BAD_FD),
	ROW(migrate_pages, 0x7ffffff),
	ROW(readlinkat, BAD_FD, NOWHERE, NOWHERE, 5),
	ROW(faccessat, BAD_FD, NOWHERE),
	ROW(pselect6, -1),
	ROW(set_robust_list, 0, 1),
	ROW(get_robust_list, 0x7ffffff),
	ROW(tee, BAD_FD),
	ROW(sync_file_range, BAD_FD),
	ROW(vmsplice, BAD_FD),
	ROW(move_pages, 0x7ffffff),
	ROW(utimensat, BAD_FD, NOWHERE),
	ROW(epoll_pwait, BAD_FD),
	ROW(fallocate, BAD_FD),
	ROW(timerfd_settime, BAD_FD),
	ROW(timerfd_gettime, BAD_FD),
	ROW(rt_tgsigqueueinfo, -1, -1, 0, NOWHERE),
	ROW(perf_event_open, NOWHERE),
	ROW(fanotify_init, -1, -1),
	ROW(fanotify_mark, BAD_FD, 99),
	ROW(name_to_handle_at, BAD_FD, NOWHERE),
	ROW(clock_adjtime, 99, NOWHERE),
	ROW(syncfs, BAD_FD),
	ROW(getcpu, NOWHERE),
	ROW(kcmp, -1),
	ROW(sched_setattr, -1),
	ROW(sched_getattr, -1),
	ROW(getrandom, NOWHERE, 0, 99),
	ROW(membarrier, 0x7777),
	ROW(preadv2, BAD_FD),
	ROW(pwritev2, BAD_FD),
	ROW(pkey_mprotect, 1),
	ROW(pkey_alloc, 99),
	ROW(pkey_free, -1),
	ROW(statx, BAD_FD, NOWHERE),
	ROW(rseq, NOWHERE),
	ROW(pidfd_send_signal, BAD_FD),
	ROW(open_tree, BAD_FD, NOWHERE),
	ROW(move_mount, BAD_FD, NOWHERE),
	ROW(fsopen, NOWHERE),
	ROW(fsmount, BAD_FD),
	ROW(fspick, BAD_FD, NOWHERE),
	ROW(faccessat2, BAD_FD, NOWHERE),
	ROW(process_madvise, BAD_FD),
	ROW(epoll_pwait2, BAD_FD),
	ROW(mount_setattr, BAD_FD),
	ROW(quotactl_fd, BAD_FD),
	ROW(landlock_create_ruleset, NOWHERE, 1),
	ROW(landlock_add_rule, BAD_FD),
	ROW(landlock_restrict_self, BAD_FD),
	ROW(memfd_secret, 99),
	ROW(process_mrelease, BAD_FD),
	ROW(futex_waitv, NOWHERE),
	ROW(set_mempolicy_home_node, 1),
#ifdef SYS_readlink
	ROW(readlink, NOWHERE),
	ROW(getpgrp),
	ROW(alarm, 0),
	ROW(utime, NOWHERE),
	ROW(ustat, -1),
	ROW(sysfs, 99),
	ROW(time, 0),
	ROW(utimes, NOWHERE),
	ROW(futimesat, BAD_FD, NOWHERE),
#endif
#ifdef SYS_arch_prctl
	ROW(arch_prctl, 0x7777),
	ROW(modify_ldt, 99),
	ROW(iopl, 99),
	ROW(ioperm, 1 << 20, 1, 1),
#endif
};

/* Newer than the headers this may be built with: by number. */
static const struct {
	const char *name;
	long nr;
} numbers[] = {
	{"cachestat", 451},	 {"fchmodat2", 452},  {"map_shadow_stack", 453}, {"futex_wake", 454},	    {"futex_requeue", 456},
	{"statmount", 457},	 {"listmount", 458},  {"lsm_get_self_attr", 459}, {"lsm_set_self_attr", 460}, {"lsm_list_modules", 461},
	{"mseal", 462},
};

void generic_cases(void)
{
	char name[80];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const long *a = rows[i].args;

		snprintf(name, sizeof name, "generic %s", rows[i].name);
		begin_case(name);
		BEGIN;
		call6(rows[i].nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		END;
		expect("GENERIC_X", "sc:%s|%ld", rows[i].name, rows[i].nr);
	}
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		snprintf(name, sizeof name, "generic %s", numbers[i].name);
		begin_case(name);
		BEGIN;
		call6(numbers[i].nr, BAD_FD, NOWHERE, A(room), -1, -1, -1);
		END;
		expect("GENERIC_X", "sc:%s|%ld", numbers[i].name, numbers[i].nr);
	}
	CASE(getsid)
	BEGIN;
	CALL(SYS_getsid, 0);
	END;
	expect("GENERIC_X", "sc:getsid|%d", SYS_getsid);
}
