// SPDX-License-Identifier: Apache-2.0
/* Tracepoints as perf events, whose numbers the kernel tells only through its tracing file system. */
#define _GNU_SOURCE
#include "perf_tracepoints.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of linux/mount.h, which old headers lack. */
#define FSCONFIG_CMD_CREATE 6

#define EVENTS "events"
/* What sections of these programs begin with; then come the group and the name of the tracepoint. */
#define SECTION "tp/"

/* An instance of the file system that no directory shows, for machines where it is not mounted. -1 when we may not have one. */
static int open_unmounted(void)
{
	int context = (int)syscall(SYS_fsopen, "tracefs", 1 /* FSOPEN_CLOEXEC */), root = -1, events = -1;

	if (context < 0)
		return -1;
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		root = (int)syscall(SYS_fsmount, context, 1 /* FSMOUNT_CLOEXEC */, 0);
	if (root >= 0)
		events = openat(root, EVENTS, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		close(root);
	close(context);
	return events;
}

int perf_tracepoints_open(void)
{
	static const char *const places[] = {"/sys/kernel/tracing/" EVENTS, "/sys/kernel/debug/tracing/" EVENTS};

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		int fd = open(places[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0)
			return fd;
	}
	return open_unmounted();
}

/* Number of the program's tracepoint; 0 when there is none. */
static uint64_t number_of(int events, const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);
	char path[96], text[24];
	ssize_t n;
	int fd;

	if (strncmp(section, SECTION, sizeof SECTION - 1) != 0)
		return 0;
	snprintf(path, sizeof path, "%s/id", section + sizeof SECTION - 1);
	fd = openat(events, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return strtoull(text, NULL, 10);
}

struct bpf_link *perf_tracepoint_attach(int events, const struct bpf_program *program)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT, .size = sizeof attr, .config = number_of(events, program)};
	struct bpf_link *link;
	int fd, e;

	if (attr.config == 0) {
		errno = ENOENT;
		return NULL;
	}
	/* The program runs on every CPU, whichever the event is opened for; that one has to be there now. */
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, sched_getcpu(), -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return NULL;
	link = bpf_program__attach_perf_event(program, fd);
	if (!link) {
		e = errno;
		close(fd);
		errno = e;
	}
	return link;
}
