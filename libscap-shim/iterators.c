// SPDX-License-Identifier: Apache-2.0
/* Reads what the probe's iterators tell of the tasks and files that are there, see driver/modern_bpf/iterators.h. */
#include "iterators.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* A read from an iterator gives whole records, of this many bytes at most: the kernel's buffer of eight pages. */
#define READ_BYTES (8 * (uint32_t)sysconf(_SC_PAGESIZE))

static const char *const iterators[] = {"iterate_tasks", "iterate_files"};
#define ITERATORS (sizeof iterators / sizeof iterators[0])

/* Older kernels may refuse the programs, and then all are loaded once more: nobody has seen these on one before 5.18. */
static int kernel_has_them(void)
{
	struct utsname u;
	int major = 0, minor = 0;

	uname(&u);
	return sscanf(u.release, "%d.%d", &major, &minor) == 2 && (major > 5 || (major == 5 && minor >= 18));
}

void iterators_choose(struct bpf_object *object)
{
	int wanted = kernel_has_them();

	for (size_t i = 0; i < ITERATORS; i++) {
		struct bpf_program *p = bpf_object__find_program_by_name(object, iterators[i]);

		if (p && !wanted)
			bpf_program__set_autoload(p, false);
	}
}

int iterator_open(struct bpf_object *object, uint32_t which)
{
	struct bpf_program *p = which < ITERATORS ? bpf_object__find_program_by_name(object, iterators[which]) : NULL;
	struct bpf_link *link;
	int fd, e;

	if (!p || !bpf_program__autoload(p)) {
		errno = EOPNOTSUPP;
		return -1;
	}
	link = bpf_program__attach_iter(p, NULL);
	if (!link)
		return -1;
	fd = bpf_iter_create(bpf_link__fd(link));
	e = errno;
	/* The open iterator holds what it needs. */
	bpf_link__destroy(link);
	errno = e;
	return fd < 0 ? -1 : fd;
}

int32_t iterator_read(int fd, uint8_t *to, uint32_t size)
{
	uint32_t used = 0;

	while (size - used >= READ_BYTES) {
		ssize_t n = read(fd, to + used, READ_BYTES);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		used += (uint32_t)n;
	}
	return (int32_t)used;
}
