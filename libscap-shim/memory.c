// SPDX-License-Identifier: Apache-2.0
/* Gives back memory that only the start of the program needed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "shim.h"

/* What /proc/self/smaps says of a mapping. */
struct mapping {
	unsigned long from, to, resident, changed;
	char permissions[8];
	char path[8];
};

/* Whether its pages are the bytes of a file as they are there: dropped, they come back when they are wanted. */
static int is_unchanged(const struct mapping *m)
{
	return m->path[0] == '/' && m->permissions[1] == '-' && m->permissions[3] == 'p' && m->changed == 0 && m->resident > 0;
}

uint64_t shim_release_memory(void)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	struct mapping m = {0}, next;
	uint64_t released = 0;
	char line[4608];

	if (!maps)
		return 0;
	while (fgets(line, sizeof line, maps)) {
		memset(&next, 0, sizeof next);
		if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %7s", &next.from, &next.to, next.permissions, next.path) >= 3)
			m = next;
		else if (strncmp(line, "Rss:", 4) == 0)
			m.resident = strtoul(line + 4, NULL, 10);
		else if (strncmp(line, "Anonymous:", 10) == 0)
			m.changed = strtoul(line + 10, NULL, 10);
		else if (strncmp(line, "VmFlags:", 8) == 0 && is_unchanged(&m) && madvise((void *)m.from, m.to - m.from, MADV_DONTNEED) == 0)
			released += m.resident * 1024;
	}
	fclose(maps);
	return released;
}
