/* SPDX-License-Identifier: Apache-2.0 */
/* Users, groups, capabilities, sessions, limits. */
#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "harness.h"

/* Runs `f` in a child, whose ids may change for good. */
static void in_child(void (*f)(void))
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		f();
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void set_groups(void)
{
	BEGIN;
	CALL(SYS_setregid, -1, 101);
	CALL(SYS_setresgid, 102, 103, -1);
	CALL(SYS_setgid, 104);
	END;
	expect("SETREGID_X", "0|0xffffffff|101");
	expect("SETRESGID_X", "0|102|103|0xffffffff");
	expect("SETGID_X", "0|104");
}

static void set_users(void)
{
	uint32_t r, e, s;

	BEGIN;
	CALL(SYS_setreuid, -1, 0);
	CALL(SYS_setresuid, 201, 202, 203);
	CALL(SYS_setuid, 0);
	CALL(SYS_getresuid, &r, &e, &s);
	CALL(SYS_geteuid);
	CALL(SYS_getuid);
	END;
	expect("SETREUID_X", "0|0xffffffff|0");
	expect("SETRESUID_X", "0|201|202|203");
	expect("SETUID_X", "-1|0");
	expect("GETRESUID_X", "0|201|202|203");
	expect("GETEUID_X", "202");
	expect("GETUID_X", "201");
}

static void capabilities(void)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2] = {{1 << CAP_CHOWN | 1 << CAP_SETUID, 1 << CAP_CHOWN | 1 << CAP_SETUID, 1 << CAP_CHOWN}, {0, 0, 0}};

	BEGIN;
	CALL(SYS_capset, &h, d);
	CALL(SYS_capset, &h, 8);
	END;
	expect("CAPSET_X", "0|%u|%lu|%lu", 1u << CAP_CHOWN, 1ul << CAP_CHOWN | 1ul << CAP_SETUID, 1ul << CAP_CHOWN | 1ul << CAP_SETUID);
	expect("CAPSET_X", "-14|%u|%lu|%lu", 1u << CAP_CHOWN, 1ul << CAP_CHOWN | 1ul << CAP_SETUID, 1ul << CAP_CHOWN | 1ul << CAP_SETUID);
}

static void sessions(void)
{
	long r;

	BEGIN;
	CALL(SYS_setpgid, 0, 0);
	r = CALL(SYS_setsid);
	CALL(SYS_setpgid, 5, 0x7ffffff);
	END;
	expect("SETPGID_X", "0|0|0");
	expect("SETSID_X", "%ld", r);
	expect("SETPGID_X", "-3|5|%d", 0x7ffffff);
}

static void limits(void)
{
	struct rlimit l = {100, 200}, old;

	BEGIN;
	CALL(SYS_setrlimit, RLIMIT_NOFILE, &l);
	CALL(SYS_getrlimit, RLIMIT_NOFILE, &old);
	CALL(SYS_setrlimit, 99, &l);
	CALL(SYS_getrlimit, 99, &old);
	END;
	expect("SETRLIMIT_X", "0|100|200|7");
	expect("GETRLIMIT_X", "0|100|200|7");
	expect("SETRLIMIT_X", "-22|100|200|255");
	expect("GETRLIMIT_X", "-22|-1|-1|255");
}

static void limits_of_others(void)
{
	struct rlimit l = {300, RLIM_INFINITY}, old;

	getrlimit(RLIMIT_CORE, &old);
	BEGIN;
	CALL(SYS_prlimit64, 0, RLIMIT_CORE, 0, &old);
	CALL(SYS_prlimit64, getpid(), RLIMIT_FSIZE, &l, 0);
	CALL(SYS_prlimit64, 0x7ffffff, RLIMIT_STACK, &l, &old);
	END;
	expect("PRLIMIT_X", "0|0|0|%ld|%ld|0|4", (long)old.rlim_cur, (long)old.rlim_max);
	expect("PRLIMIT_X", "0|300|-1|0|0|%d|1", getpid());
	expect("PRLIMIT_X", "-3|300|-1|-1|-1|%d|3", 0x7ffffff);
}

static void namespaces(void)
{
	long fd = open("/proc/self/ns/uts", O_RDONLY);

	BEGIN;
	CALL(SYS_unshare, CLONE_NEWUTS | CLONE_FS);
	CALL(SYS_unshare, 0x1);
	CALL(SYS_setns, fd, CLONE_NEWUTS);
	CALL(SYS_setns, BAD_FD, CLONE_NEWNET);
	END;
	expect("UNSHARE_X", "0|0x82");
	expect("UNSHARE_X", "-22|0");
	expect("SETNS_X", "0|%ld|0x80", fd);
	expect("SETNS_X", "-9|%d|0x10", BAD_FD);
}

void ids_cases(void)
{
	uint32_t r, e, s;

	CASE(get_ids)
	BEGIN;
	CALL(SYS_getuid);
	CALL(SYS_geteuid);
	CALL(SYS_getgid);
	CALL(SYS_getegid);
	CALL(SYS_getresuid, &r, &e, &s);
	CALL(SYS_getresgid, &r, &e, &s);
	CALL(SYS_getresuid, 8, &e, &s);
	END;
	expect("GETUID_X", "%d", getuid());
	expect("GETEUID_X", "%d", geteuid());
	expect("GETGID_X", "%d", getgid());
	expect("GETEGID_X", "%d", getegid());
	expect("GETRESUID_X", "0|%d|%d|*", getuid(), geteuid());
	expect("GETRESGID_X", "0|%d|%d|*", getgid(), getegid());
	expect("GETRESUID_X", "-14|0|*|*");
	CASE(set_groups)
	in_child(set_groups);
	CASE(set_users)
	in_child(set_users);
	CASE(capset)
	in_child(capabilities);
	CASE(sessions)
	in_child(sessions);
	CASE(rlimits)
	in_child(limits);
	CASE(prlimit64)
	in_child(limits_of_others);
	CASE(namespaces)
	in_child(namespaces);
}
