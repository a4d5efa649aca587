/* SPDX-License-Identifier: Apache-2.0 */
/* bpf_ids: the programs, maps and links of BPF that the kernel has, one "prog ID", "map ID" or "link ID" a line. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int list(const char *kind, int command)
{
	unsigned id = 0;

	for (;;) {
		union bpf_attr attr;

		memset(&attr, 0, sizeof attr);
		attr.start_id = id;
		if (syscall(SYS_bpf, command, &attr, sizeof attr) != 0)
			break;
		id = attr.next_id;
		printf("%s %u\n", kind, id);
	}
	if (errno == ENOENT)
		return 0;
	perror(kind);
	return 1;
}

int main(void)
{
	return list("prog", BPF_PROG_GET_NEXT_ID) || list("map", BPF_MAP_GET_NEXT_ID) || list("link", BPF_LINK_GET_NEXT_ID);
}
