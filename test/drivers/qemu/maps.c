/* SPDX-License-Identifier: Apache-2.0 */
/* maps N: changes a BPF map N times. */
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES 1024

int main(int argc, char **argv)
{
	static unsigned long long value[32];
	union bpf_attr create = {.map_type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = sizeof value, .max_entries = ENTRIES};
	int map;

	if (argc != 2)
		return 2;
	map = syscall(SYS_bpf, BPF_MAP_CREATE, &create, sizeof create);
	for (long n = atol(argv[1]); map >= 0 && n > 0; n--) {
		unsigned key = n % ENTRIES;
		union bpf_attr update;

		memset(&update, 0, sizeof update);
		update.map_fd = map;
		update.key = (unsigned long)&key;
		update.value = (unsigned long)value;
		if (syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &update, sizeof update) != 0)
			map = -1;
	}
	if (map < 0)
		perror("maps");
	return map < 0;
}
