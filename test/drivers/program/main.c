/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the cases of all families, or of the ones named on the command line, in a directory of its own. */
#include <ftw.h>

#include "harness.h"

static const char *current;
static int number;

void mark(void)
{
	/* Descriptors this low do not exist; nothing else closes them. */
	CALL(SYS_close, -1000000 - number);
}

void begin_case(const char *name)
{
	current = name;
	number++;
	printf("case\t%d\t%s\n", number, name);
}

void skip_case(const char *why)
{
	printf("skip\t%s\n", why);
}

void expect_of(long tid, const char *event, const char *format, ...)
{
	va_list args;

	printf("expect\t%ld\t%s\t", tid ? tid : (long)gettid(), event);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

const char *hex(const void *bytes, size_t n)
{
	static char text[8][2100];
	static int turn;
	char *to = text[turn++ % 8];

	strcpy(to, "x:");
	for (size_t i = 0; i < n && i < 1000; i++)
		sprintf(to + 2 + 2 * i, "%02x", ((const unsigned char *)bytes)[i]);
	return to;
}

void *low(size_t n)
{
#if defined(__x86_64__)
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
#else
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
#endif
	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return p;
}

uint32_t event_device(const struct stat *st)
{
	uint32_t major = (st->st_dev >> 8) & 0xfff, minor = (st->st_dev & 0xff) | ((st->st_dev >> 12) & 0xfff00);

	return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

static const struct family families[] = {
	{"files", files_cases},	    {"directories", directories_cases}, {"descriptors", descriptors_cases}, {"processes", processes_cases},
	{"sockets", sockets_cases}, {"messages", messages_cases},	{"memory", memory_cases},	    {"ids", ids_cases},
	{"system", system_cases},   {"generic", generic_cases},		{"ia32", ia32_cases},
};

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *place)
{
	(void)st, (void)kind, (void)place;
	return remove(path);
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/falco-driver-test-XXXXXX";

	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	/* Brings in every page of constants: a probe cannot wait for one when a call begins. */
	if (mlockall(MCL_CURRENT) == 0)
		munlockall();
	if (!mkdtemp(dir) || chdir(dir) != 0) {
		perror(dir);
		return 1;
	}
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
		int wanted = argc < 2;

		for (int k = 1; k < argc; k++)
			wanted |= strcmp(argv[k], families[i].name) == 0;
		if (!wanted)
			continue;
		printf("family\t%s\n", families[i].name);
		families[i].run();
	}
	fflush(stdout);
	if (chdir("/") != 0 || nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS) != 0) {
		perror(dir);
		return 1;
	}
	return 0;
}
