/* SPDX-License-Identifier: Apache-2.0 */
/* Creating processes and threads, running programs, ending. */
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "harness.h"

#ifndef SIGCHLD
#define SIGCHLD 17
#endif

/* Parameters 1 to 14 of clone and execve events for a task of this program. */
static const char *task(long tid, long pid, long ptid)
{
	static char text[4][600];
	static int turn;
	char comm[32] = "";
	struct rlimit l;
	char *to = text[turn++ % 4];
	int fd = open("/proc/self/comm", O_RDONLY);
	ssize_t n = read(fd, comm, sizeof comm - 1);

	close(fd);
	if (n > 0)
		comm[n - 1] = 0;
	getrlimit(RLIMIT_NOFILE, &l);
	snprintf(to, sizeof text[0], "%ld|%ld|%ld|-|%lu|*|*|>1|*|*|'%s'|*", tid, pid, ptid, (unsigned long)l.rlim_cur, comm);
	return to;
}

/* exe and args as /proc has them. */
static const char *arguments(void)
{
	static char text[2000];
	char raw[900];
	int fd = open("/proc/self/cmdline", O_RDONLY);
	ssize_t n = read(fd, raw, sizeof raw);
	size_t exe;

	close(fd);
	if (n <= 0)
		return "*|*";
	exe = strlen(raw) + 1;
	snprintf(text, sizeof text, "'%s'|%s", raw, (size_t)n > exe ? hex(raw + exe, (size_t)n - exe) : "-");
	return text;
}

static void clone_cases(void)
{
	long pid = getpid(), ppid = getppid(), child;

	CASE(clone)
	fflush(stdout);
	BEGIN;
	child = CALL(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (child == 0)
		CALL(SYS_exit_group, 3);
	waitpid(child, NULL, 0);
	END;
	expect_of(child, "CLONE_20_X", "0|%s|%s|0|%d|%d|%ld|%ld|>1", arguments(), task(child, child, pid), geteuid(), getegid(), child, child);
	expect("CLONE_20_X", "%ld|%s|%s|0|%d|%d|%ld|%ld|0", child, arguments(), task(pid, pid, ppid), geteuid(), getegid(), pid, pid);
	expect_of(child, "PROCEXIT_1_E", "0x300|3|0|0|0");

	CASE(clone_fails)
	BEGIN;
	CALL(SYS_clone, CLONE_THREAD | SIGCHLD, 0, 0, 0, 0);
	END;
	expect("CLONE_20_X", "-22|%s|%s|0x2000|%d|%d|%ld|%ld|0", arguments(), task(pid, pid, ppid), geteuid(), getegid(), pid, pid);

	CASE(clone3)
	{
		struct clone_args a = {.flags = CLONE_FS | CLONE_SYSVSEM, .exit_signal = SIGCHLD};

		fflush(stdout);
		BEGIN;
		child = CALL(SYS_clone3, &a, sizeof a);
		if (child == 0) {
			CALL(SYS_kill, CALL(SYS_getpid), SIGKILL);
			CALL(SYS_exit_group, 0);
		}
		waitpid(child, NULL, 0);
		END;
		expect_of(child, "CLONE3_X", "0|%s|%s|0x1002|*|*|%ld|%ld|>1", arguments(), task(child, child, pid), child, child);
		expect("CLONE3_X", "%ld|%s|%s|0x1002|*|*|%ld|%ld|0", child, arguments(), task(pid, pid, ppid), pid, pid);
		expect_of(child, "PROCEXIT_1_E", "9|0|9|0|0");
	}
	CASE(clone_pid_namespace)
	fflush(stdout);
	BEGIN;
	child = CALL(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
	if (child == 0)
		CALL(SYS_exit_group, 0);
	if (child > 0)
		waitpid(child, NULL, 0);
	END;
	if (child < 0)
		skip_case("no pid namespaces");
	else
		expect_of(child, "CLONE_20_X", "0|%s|%s|0x20000040|*|*|1|1|>1", arguments(), task(child, child, pid));
#ifdef SYS_fork
	CASE(fork)
	fflush(stdout);
	BEGIN;
	child = CALL(SYS_fork);
	if (child == 0)
		CALL(SYS_exit_group, 0);
	waitpid(child, NULL, 0);
	END;
	expect_of(child, "FORK_20_X", "0|%s|%s|0|*|*|%ld|%ld|>1", arguments(), task(child, child, pid), child, child);
	expect("FORK_20_X", "%ld|%s|%s|0|*|*|%ld|%ld|0", child, arguments(), task(pid, pid, ppid), pid, pid);
	CASE(vfork)
	fflush(stdout);
	BEGIN;
	child = vfork();
	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
	END;
	expect_of(child, "VFORK_20_X", "0|%s|%s|0|*|*|%ld|%ld|>1", arguments(), task(child, child, pid), child, child);
	expect("VFORK_20_X", "%ld|%s|%s|0|*|*|%ld|%ld|0", child, arguments(), task(pid, pid, ppid), pid, pid);
#endif
	CASE(exit_with_child)
	{
		int status;

		/* The child leaves a child of its own behind: it goes to this process, which asks to be given such. */
		CALL(SYS_prctl, 36 /* PR_SET_CHILD_SUBREAPER */, 1);
		fflush(stdout);
		BEGIN;
		child = CALL(SYS_clone, SIGCHLD, 0, 0, 0, 0);
		if (child == 0) {
			if (CALL(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0) {
				struct timespec t = {0, 50000000};

				CALL(SYS_nanosleep, &t, 0);
			}
			CALL(SYS_exit_group, 1);
		}
		waitpid(child, &status, 0);
		waitpid(-1, &status, 0);
		END;
		CALL(SYS_prctl, 36, 0);
		expect_of(child, "PROCEXIT_1_E", "0x100|1|0|0|%ld", pid);
	}
}

/* Starts a child that is to run `f`, waits for it, and gives its id. */
static long in_child(void (*f)(void))
{
	long child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		f();
		_exit(9);
	}
	waitpid(child, NULL, 0);
	return child;
}

static void run_true(void)
{
	char *argv[] = {"zero", "one", "", "three", NULL}, *envp[] = {"A=1", "B=", NULL};

	CALL(SYS_execve, "/bin/true", argv, envp);
}

static void run_at(void)
{
	char *argv[] = {"by descriptor", NULL}, *envp[] = {NULL};
	long dir = open("/bin", O_RDONLY | O_DIRECTORY);

	CALL(SYS_execveat, dir, "true", argv, envp, 0);
}

static void run_memory(void)
{
	char *argv[] = {"from memory", NULL}, *envp[] = {NULL};
	static char bytes[1 << 20];
	int in = open("/bin/true", O_RDONLY), fd = memfd_create("hidden", MFD_CLOEXEC);
	ssize_t n = read(in, bytes, sizeof bytes);

	if (n > 0 && write(fd, bytes, n) == n)
		CALL(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
}

static void execve_cases(void)
{
	long pid = getpid(), child;
	struct stat st;
	char path[300] = "", flags[8] = "1";
	ssize_t n = readlink("/bin/true", path, sizeof path);
	unsigned long ns, cns;
	const char *ids = "*|*|*";

	(void)n;
	(void)flags;
	if (!realpath("/bin/true", path))
		strcpy(path, "/bin/true");
	stat("/bin/true", &st);
	ns = st.st_mtim.tv_sec * 1000000000ul + st.st_mtim.tv_nsec;
	cns = st.st_ctim.tv_sec * 1000000000ul + st.st_ctim.tv_nsec;

	CASE(execve)
	BEGIN;
	child = in_child(run_true);
	END;
	expect_of(child, "EXECVE_19_X",
		  "0|'zero'|%s|%ld|%ld|%ld|-|*|*|*|>1|*|*|'true'|*|%s|*|%d|*|*|*|%s|%lu|%lu|%lu|%d|'%s'|%d|%d|'/bin/true'", hex("one\0\0three", 11),
		  child, child, pid, hex("A=1\0B=", 7), getpgrp(), "*|*", st.st_ino, cns, ns, geteuid(), path, getpgrp(), getegid());
	expect_of(child, "PROCEXIT_1_E", "0|0|0|0|0");

	CASE(execveat)
	BEGIN;
	child = in_child(run_at);
	END;
	expect_of(child, "EXECVEAT_X", "0|'by descriptor'|-|%ld|%ld|%ld|-|*|*|*|>1|*|*|'true'|*|-|*|%d|*|*|%s|%lu|%lu|%lu|%d|'%s'|%d|%d", child, child, pid,
		  getpgrp(), ids, st.st_ino, cns, ns, geteuid(), path, getpgrp(), getegid());

	CASE(execveat_memory)
	BEGIN;
	child = in_child(run_memory);
	END;
	/* EXE_WRITABLE and EXE_FROM_MEMFD. */
	expect_of(child, "EXECVEAT_X", "0|'from memory'|-|%ld|%ld|%ld|-|*|*|*|>1|*|*|*|*|-|*|%d|*|5|%s|*|*|*|%d|'memfd:hidden'|%d|%d", child, child, pid,
		  getpgrp(), ids, geteuid(), getpgrp(), getegid());

	CASE(execve_fails)
	{
		char *argv[] = {"not", "found", NULL}, *envp[] = {"E=5", NULL};

		BEGIN;
		CALL(SYS_execve, "/no/such/program", argv, envp);
		CALL(SYS_execve, 8, 0, 0);
		CALL(SYS_execveat, BAD_FD, "x", argv, envp, 0);
		END;
		expect("EXECVE_19_X", "-2|'not'|x:666f756e6400|%s|%s|*|%d|*|*|%s|*|*|*|%d|*|%d|%d|'/no/such/program'", task(pid, pid, getppid()), hex("E=5", 4), getpgrp(), ids,
		       geteuid(), getpgrp(), getegid());
		expect("EXECVE_19_X", "-14|-|-|%s|-|*|%d|*|*|%s|*|*|*|%d|*|%d|%d|-", task(pid, pid, getppid()), getpgrp(), ids, geteuid(), getpgrp(),
		       getegid());
		expect("EXECVEAT_X", "-9|'not'|x:666f756e6400|%s|%s|*|%d|*|*|%s|*|*|*|%d|*|%d|%d", task(pid, pid, getppid()), hex("E=5", 4), getpgrp(), ids, geteuid(),
		       getpgrp(), getegid());
	}
}

void processes_cases(void)
{
	clone_cases();
	execve_cases();
}
