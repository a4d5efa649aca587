/* SPDX-License-Identifier: Apache-2.0 */
/* Signals, time, futexes, semaphores, tracing, modules, keys, io_uring, bpf. */
#include <linux/io_uring.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <time.h>

#include "harness.h"

static void on_signal(int sig)
{
	(void)sig;
}

static void signal_cases(void)
{
	int pid = getpid(), tid = gettid();

	signal(SIGUSR1, on_signal);
	CASE(kill)
	BEGIN;
	CALL(SYS_kill, pid, SIGUSR1);
	CALL(SYS_kill, 0x7ffffff, SIGTERM);
	END;
	expect("SIGNALDELIVER_E", "%d|%d|%d", pid, pid, SIGUSR1);
	expect("KILL_X", "0|%d|%d", pid, SIGUSR1);
	expect("KILL_X", "-3|%d|%d", 0x7ffffff, SIGTERM);
	CASE(tkill)
	BEGIN;
	CALL(SYS_tkill, tid, SIGUSR1);
	CALL(SYS_tkill, -1, 0);
	END;
	expect("SIGNALDELIVER_E", "%d|%d|%d", pid, pid, SIGUSR1);
	expect("TKILL_X", "0|%d|%d", tid, SIGUSR1);
	expect("TKILL_X", "-22|-1|0");
	CASE(tgkill)
	BEGIN;
	CALL(SYS_tgkill, pid, tid, SIGUSR1);
	CALL(SYS_tgkill, pid, 0x7ffffff, SIGHUP);
	END;
	expect("TGKILL_X", "0|%d|%d|%d", pid, tid, SIGUSR1);
	expect("TGKILL_X", "-3|%d|%d|%d", pid, 0x7ffffff, SIGHUP);
	CASE(pidfd_open)
	{
		long fd;

		BEGIN;
		fd = CALL(SYS_pidfd_open, pid, O_NONBLOCK);
		CALL(SYS_pidfd_open, 0x7ffffff, 0);
		END;
		expect("PIDFD_OPEN_X", "%ld|%d|1", fd, pid);
		expect("PIDFD_OPEN_X", "-3|%d|0", 0x7ffffff);
		CASE(pidfd_getfd)
		{
			long got;

			BEGIN;
			got = CALL(SYS_pidfd_getfd, fd, 1, 0);
			CALL(SYS_pidfd_getfd, fd, BAD_FD, 0);
			END;
			expect("PIDFD_GETFD_X", "%ld|%ld|1|0", got, fd);
			expect("PIDFD_GETFD_X", "-9|%ld|%d|0", fd, BAD_FD);
			close(got);
		}
		close(fd);
	}
}

static void time_cases(void)
{
	struct timespec t = {0, 1000000}, bad = {0, -1};
	uint32_t word = 7;

	CASE(nanosleep)
	BEGIN;
	CALL(SYS_nanosleep, &t, 0);
	CALL(SYS_nanosleep, &bad, 0);
	END;
	expect("NANOSLEEP_X", "0|1000000");
	expect("NANOSLEEP_X", "-22|18446744073709551615");
	CASE(futex)
	BEGIN;
	CALL(SYS_futex, &word, 129 /* FUTEX_WAKE | FUTEX_PRIVATE_FLAG */, 3);
	CALL(SYS_futex, &word, 0, 8, &t);
	END;
	expect("FUTEX_X", "0|%ld|129|3", A(&word));
	expect("FUTEX_X", "-11|%ld|0|8", A(&word));
}

static void semaphore_cases(void)
{
	struct sembuf ops[2] = {{0, 1, IPC_NOWAIT}, {1, 2, SEM_UNDO}};
	long id;

	CASE(semget)
	BEGIN;
	id = CALL(SYS_semget, IPC_PRIVATE, 2, IPC_CREAT | IPC_EXCL | 0600);
	CALL(SYS_semget, 0x4242, -1, 0);
	END;
	expect("SEMGET_X", "%ld|0|2|0x6000", id);
	expect("SEMGET_X", "-22|0x4242|-1|0");
	CASE(semop)
	BEGIN;
	CALL(SYS_semop, id, ops, 2);
	CALL(SYS_semop, -1, ops, 1);
	END;
	expect("SEMOP_X", "0|2|0|1|1|1|2|2|%ld", id);
	expect("SEMOP_X", "-22|1|0|1|1|0|0|0|-1");
	CASE(semctl)
	BEGIN;
	CALL(SYS_semctl, id, 1, SETVAL, 5);
	CALL(SYS_semctl, id, 1, GETVAL, 0);
	CALL(SYS_semctl, id, 0, IPC_RMID, 0);
	CALL(SYS_semctl, id, 0, IPC_RMID, 0);
	END;
	expect("SEMCTL_X", "0|%ld|1|0x1000|5", id);
	expect("SEMCTL_X", "5|%ld|1|0x200|0", id);
	expect("SEMCTL_X", "0|%ld|0|4|0", id);
	expect("SEMCTL_X", "-22|%ld|0|4|0", id);
}

static void ptrace_cases(void)
{
	long word = 0, seen = 0;
	int status, pid;

	CASE(ptrace)
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		CALL(SYS_ptrace, PTRACE_TRACEME);
		CALL(SYS_kill, CALL(SYS_getpid), SIGSTOP);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	word = ptrace(PTRACE_PEEKDATA, pid, &seen, 0);
	BEGIN;
	CALL(SYS_ptrace, PTRACE_PEEKDATA, pid, &seen, &seen);
	CALL(SYS_ptrace, PTRACE_SETOPTIONS, pid, 0, 1);
	CALL(SYS_ptrace, PTRACE_CONT, pid, 0, SIGCONT);
	CALL(SYS_ptrace, PTRACE_ATTACH, 0x7ffffff, 0, 0);
	END;
	{
		unsigned char peeked[9] = {0}, addr[9] = {0}, none[9] = {0}, one[9] = {0, 1}, sig[2] = {1, SIGCONT};
		void *at = &seen;

		memcpy(peeked + 1, &word, 8);
		memcpy(addr + 1, &at, 8);
		expect("PTRACE_X", "0|%s|%s|3|%d", hex(addr, 9), hex(peeked, 9), pid);
		expect("PTRACE_X", "0|%s|%s|14|%d", hex(none, 9), hex(one, 9), pid);
		expect("PTRACE_X", "0|%s|%s|8|%d", hex(none, 9), hex(sig, 2), pid);
		expect("PTRACE_X", "-3|%s|%s|11|%d", hex(none, 9), hex(none, 9), 0x7ffffff);
	}
	waitpid(pid, &status, 0);
}

static void module_cases(void)
{
	CASE(init_module)
	BEGIN;
	CALL(SYS_init_module, "not a module", 12, "some=arguments");
	END;
	expect("INIT_MODULE_X", "*|'not a module'|12|'some=arguments'");
	CASE(finit_module)
	BEGIN;
	CALL(SYS_finit_module, BAD_FD, "a=b", 3);
	END;
	expect("FINIT_MODULE_X", "*|%d|'a=b'|3", BAD_FD);
	CASE(delete_module)
	BEGIN;
	CALL(SYS_delete_module, "no_such_module", O_NONBLOCK | O_TRUNC);
	END;
	expect("DELETE_MODULE_X", "*|'no_such_module'|3");
}

static void other_cases(void)
{
	char name[] = "new name";
	long fd;

	CASE(prctl)
	{
		int reaper = 0;

		BEGIN;
		CALL(SYS_prctl, PR_SET_NAME, name);
		CALL(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1);
		CALL(SYS_prctl, PR_GET_CHILD_SUBREAPER, &reaper);
		CALL(SYS_prctl, PR_SET_CHILD_SUBREAPER, 0);
		CALL(SYS_prctl, 0x7777, -5);
		END;
		expect("PRCTL_X", "0|15|'new name'|0");
		expect("PRCTL_X", "0|36|-|1");
		expect("PRCTL_X", "0|37|-|1");
		expect("PRCTL_X", "0|36|-|0");
		expect("PRCTL_X", "-22|0x7777|-|-5");
	}
	CASE(seccomp)
	BEGIN;
	CALL(SYS_seccomp, 99, 7, 0);
	END;
	expect("SECCOMP_X", "-22|99|7");
	CASE(bpf)
	{
		uint32_t attr[16] = {2 /* array */, 4, 8, 1};

		BEGIN;
		fd = CALL(SYS_bpf, 0, attr, sizeof attr);
		CALL(SYS_bpf, 9999, attr, sizeof attr);
		END;
		expect("BPF_2_X", "%ld|0", fd);
		expect("BPF_2_X", "-22|9999");
		if (fd >= 0)
			close(fd);
	}
	CASE(keyctl)
	BEGIN;
	CALL(SYS_keyctl, 10 /* search */, -3, "user", "falco:none", 0);
	CALL(SYS_keyctl, 3 /* revoke */, 0x7fffffff, 0, 0, 0);
	END;
	{
		unsigned char ring[9] = {0}, zero[9] = {0}, type[] = "\1user", what[] = "\1falco:none", key[9] = {0, 0xff, 0xff, 0xff, 0x7f};

		memset(ring + 1, 0xff, 8);
		ring[1] = 0xfd;
		expect("KEYCTL_X", "*|10|%s|%s|%s|%s", hex(ring, 9), hex(type, sizeof type), hex(what, sizeof what), hex(zero, 9));
		expect("KEYCTL_X", "*|3|%s|%s|%s|%s", hex(key, 9), hex(zero, 9), hex(zero, 9), hex(zero, 9));
	}
	CASE(io_uring)
	{
		struct io_uring_params p = {.flags = IORING_SETUP_CQSIZE, .cq_entries = 64};
		uint32_t mask[2] = {1u << (SIGUSR1 - 1), 0};

		BEGIN;
		fd = CALL(SYS_io_uring_setup, 8, &p);
		CALL(SYS_io_uring_setup, 8, 0);
		CALL(SYS_io_uring_enter, fd, 0, 0, IORING_ENTER_GETEVENTS, mask, 8);
		CALL(SYS_io_uring_enter, BAD_FD, 1, 2, 0, 0, 0);
		CALL(SYS_io_uring_register, fd, 99, 0x1234, 5);
		CALL(SYS_io_uring_register, BAD_FD, 4, 0, 1);
		END;
		if (fd < 0)
			skip_case("io_uring is switched off");
		else {
			expect("IO_URING_SETUP_X", "%ld|8|%u|%u|0x10|0|0|%u", fd, p.sq_entries, p.cq_entries, p.features & 0x7ff);
			expect("IO_URING_SETUP_X", "-14|8|0|0|0|0|0|0");
			expect("IO_URING_ENTER_X", "0|%ld|0|0|1|%u", fd, 1u << (SIGUSR1 - 1));
			expect("IO_URING_ENTER_X", "-9|%d|1|2|0|0", BAD_FD);
			expect("IO_URING_REGISTER_X", "-22|%ld|99|0x1234|5", fd);
			expect("IO_URING_REGISTER_X", "-9|%d|4|0|1", BAD_FD);
			close(fd);
		}
	}
	CASE(fsconfig)
	{
		long fs = CALL(SYS_fsopen, "tmpfs", 0);

		if (fs < 0)
			skip_case("no tmpfs");
		else {
			BEGIN;
			CALL(SYS_fsconfig, fs, 1 /* set string */, "source", "somewhere", 0);
			CALL(SYS_fsconfig, fs, 0 /* set flag */, "nonsense", 0, 0);
			CALL(SYS_fsconfig, BAD_FD, 2 /* set binary */, "blob", "\1\2\3", 3);
			END;
			expect("FSCONFIG_X", "0|%ld|1|'source'|-|'somewhere'|0", fs);
			expect("FSCONFIG_X", "-22|%ld|0|'nonsense'|-|-|0", fs);
			expect("FSCONFIG_X", "-9|%d|2|'blob'|x:010203|-|3", BAD_FD);
			close(fs);
		}
	}
}

void system_cases(void)
{
	signal_cases();
	time_cases();
	semaphore_cases();
	ptrace_cases();
	module_cases();
	other_cases();
}
