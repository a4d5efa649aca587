// SPDX-License-Identifier: Apache-2.0
/* Tracepoints of single system calls, which the kernel tells only through its tracing file system. */
#define _GNU_SOURCE
#include "call_tracepoints.h"

#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of linux/mount.h, which old headers lack. */
#define FSCONFIG_CMD_CREATE 6

#define CALLS "events/syscalls"

/* An instance of the file system that no directory shows, for machines where it is not mounted. -1 when we may not have one. */
static int open_unmounted(void)
{
	int context = (int)syscall(SYS_fsopen, "tracefs", 1 /* FSOPEN_CLOEXEC */), root = -1, calls = -1;

	if (context < 0)
		return -1;
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		root = (int)syscall(SYS_fsmount, context, 1 /* FSMOUNT_CLOEXEC */, 0);
	if (root >= 0)
		calls = openat(root, CALLS, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		close(root);
	close(context);
	return calls;
}

int call_tracepoints_open(void)
{
	static const char *const places[] = {"/sys/kernel/tracing/" CALLS, "/sys/kernel/debug/tracing/" CALLS};

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		int fd = open(places[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0)
			return fd;
	}
	return open_unmounted();
}

/* Number of the tracepoint at which the call begins; 0 when there is none. */
static uint64_t enter_id(int calls, const char *call)
{
	char path[80], text[24];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "sys_enter_%s/id", call);
	fd = openat(calls, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return strtoull(text, NULL, 10);
}

struct bpf_link *call_tracepoint_attach(int calls, const char *call, struct bpf_program *program)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT, .size = sizeof attr, .config = enter_id(calls, call)};
	struct bpf_link *link;
	int fd;

	if (attr.config == 0)
		return NULL;
	/* The program runs on every CPU, whichever the event is opened for. */
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return NULL;
	link = bpf_program__attach_perf_event(program, fd);
	if (!link)
		close(fd);
	return link;
}
