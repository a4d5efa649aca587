// SPDX-License-Identifier: Apache-2.0
/* Capabilities and limits of this process: names what is missing, gives up what is no longer needed in every thread. */
#include "privileges.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "shim.h"

/* Headers may be older than the kernel. */
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif

/* Passes over all threads, each after a millisecond's wait, before we say that one did not follow. */
#define DROP_PASSES 100

static int effective(uint64_t *set)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) != 0)
		return -1;
	*set = (uint64_t)data[1].effective << 32 | data[0].effective;
	return 0;
}

static int holds(uint64_t set, int capability)
{
	return (set >> capability) & 1;
}

/* First line of a file, without line feed; empty when it cannot be read. */
static void read_line(const char *path, char *line, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, line, size - 1);

	if (fd >= 0)
		close(fd);
	line[n > 0 ? n : 0] = 0;
	line[strcspn(line, "\n")] = 0;
}

static int before_5_11(void)
{
	struct utsname u;
	int major = 0, minor = 0;

	uname(&u);
	return sscanf(u.release, "%d.%d", &major, &minor) == 2 && (major < 5 || (major == 5 && minor < 11));
}

static int in_user_namespace(void)
{
	char line[128];
	unsigned long inside = 0, outside = 0, count = 0;

	read_line("/proc/self/uid_map", line, sizeof line);
	return sscanf(line, "%lu %lu %lu", &inside, &outside, &count) == 3 && count != 4294967295u;
}

static int is_locked_down(void)
{
	char line[128];

	read_line("/sys/kernel/security/lockdown", line, sizeof line);
	return strstr(line, "[confidentiality]") != NULL;
}

int privileges_explain(int errno_value, char *error, uint32_t size)
{
	const char *missing[3];
	struct rlimit limit;
	uint64_t have = 0;
	int n = 0;

	/* The verifier says EACCES and EINVAL too, for reasons of its own. */
	if (errno_value != EPERM && errno_value != EACCES && errno_value != EINVAL && errno_value != ENOMEM)
		return 0;
	effective(&have);
	/* What CAP_BPF and CAP_PERFMON allow was part of CAP_SYS_ADMIN once, and still is. */
	if (!holds(have, CAP_SYS_ADMIN)) {
		if (!holds(have, CAP_BPF))
			missing[n++] = "CAP_BPF";
		if (!holds(have, CAP_PERFMON))
			missing[n++] = "CAP_PERFMON";
	}
	if (before_5_11() && !holds(have, CAP_SYS_RESOURCE) && getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
		if (n == 0) {
			snprintf(error, size,
				 "the limit of locked memory is %llu bytes, too few for this kernel to hold the probe: CAP_SYS_RESOURCE is missing to raise it",
				 (unsigned long long)limit.rlim_cur);
			return 1;
		}
		missing[n++] = "CAP_SYS_RESOURCE";
	}
	if (n > 0) {
		snprintf(error, size, "not allowed to use eBPF: %s%s%s%s%s %s missing (root has all that is needed)", missing[0],
			 n == 3 ? ", " : "", n == 3 ? missing[1] : "", n > 1 ? " and " : "", n > 1 ? missing[n - 1] : "", n > 1 ? "are" : "is");
		return 1;
	}
	if (is_locked_down() && errno_value != ENOMEM)
		snprintf(error, size, "not allowed to read the kernel's memory: the kernel is locked down (confidentiality)");
	else if (errno_value != EPERM)
		return 0;
	else if (in_user_namespace())
		snprintf(error, size, "not allowed to use eBPF: this is a user namespace, whose root the kernel does not trust with it");
	else
		snprintf(error, size, "not allowed to use eBPF, although the capabilities are there: a seccomp filter or security module forbids it");
	return 1;
}

void privileges_raise_memlock(void)
{
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY}, now;

	if (setrlimit(RLIMIT_MEMLOCK, &all) == 0 || getrlimit(RLIMIT_MEMLOCK, &now) != 0)
		return;
	now.rlim_cur = now.rlim_max;
	setrlimit(RLIMIT_MEMLOCK, &now);
}

/*
 * libbpf looks through the type information of modules for types that the kernel itself does not have. Listing them takes
 * CAP_SYS_ADMIN, without which it would give up; the probe needs no module's types. The linker puts this in between.
 */
int __real_bpf_btf_get_next_id(uint32_t start, uint32_t *next);
int __wrap_bpf_btf_get_next_id(uint32_t start, uint32_t *next);

int __wrap_bpf_btf_get_next_id(uint32_t start, uint32_t *next)
{
	int result = __real_bpf_btf_get_next_id(start, next);

	if (result != 0 && errno == EPERM) {
		errno = ENOENT;
		return -ENOENT;
	}
	return result;
}

/*
 * Capabilities are a thread's own: each thread gives up its own, in a signal handler. The signal is one of those that threads
 * without signals leave open all the same, because they come of a thread's own doing.
 */
#define DROP_SIGNAL SIGSYS

static struct __user_cap_data_struct kept[2];

static void give_up(int signal)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	int saved = errno;

	(void)signal;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	syscall(SYS_capset, &header, kept);
	errno = saved;
}

/* 1 when the thread has nothing but what is kept, or is gone. */
static int has_given_up(const char *tid)
{
	static const char *const names[] = {"CapInh:", "CapPrm:", "CapEff:", "CapAmb:"};
	uint64_t keep = (uint64_t)kept[1].permitted << 32 | kept[0].permitted;
	const uint64_t allowed[] = {0, keep, keep, 0};
	char path[64], text[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/self/task/%.16s/status", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 1;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return 1;
	text[n] = 0;
	for (int i = 0; i < 4; i++) {
		const char *at = strstr(text, names[i]);

		if (!at || (strtoull(at + strlen(names[i]), NULL, 16) & ~allowed[i]) != 0)
			return 0;
	}
	return 1;
}

/* Asks every thread that still has too much. Returns how many there were, or -1. */
static int drop_pass(void)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;
	int left = 0;

	if (!tasks)
		return -1;
	while ((entry = readdir(tasks)) != NULL) {
		if (entry->d_name[0] == '.' || has_given_up(entry->d_name))
			continue;
		left++;
		syscall(SYS_tgkill, getpid(), atoi(entry->d_name), DROP_SIGNAL);
	}
	closedir(tasks);
	return left;
}

int shim_drop_privileges(uint32_t keep_low, uint32_t keep_high, char *error, uint32_t size)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct sigaction action = {.sa_handler = give_up, .sa_flags = SA_RESTART | SA_ONSTACK}, before;
	struct timespec moment = {0, 1000000};
	int left = -1;

	if (syscall(SYS_capget, &header, kept) != 0) {
		snprintf(error, size, "cannot read the capabilities: %s", strerror(errno));
		return -1;
	}
	kept[0].permitted = kept[0].effective = kept[0].permitted & keep_low;
	kept[1].permitted = kept[1].effective = kept[1].permitted & keep_high;
	kept[0].inheritable = kept[1].inheritable = 0;
	sigfillset(&action.sa_mask);
	if (sigaction(DROP_SIGNAL, &action, &before) != 0) {
		snprintf(error, size, "cannot reach the threads: %s", strerror(errno));
		return -1;
	}
	/* A thread may be born of one that had not been asked yet: until a pass finds none. */
	for (int i = 0; i < DROP_PASSES && (left = drop_pass()) != 0; i++)
		nanosleep(&moment, NULL);
	sigaction(DROP_SIGNAL, &before, NULL);
	if (left == 0)
		return 0;
	snprintf(error, size, "%d threads keep capabilities that are no longer needed", left);
	return -1;
}
