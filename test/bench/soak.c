/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak CALLS_PER_SECOND SECONDS: makes about so many system calls of many kinds, evenly, and a process now and then. Prints at the
 * end how many it made.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLICE_NS 1000000
/* Rounds between two processes. */
#define PROCESS_EVERY 1000

static long calls;

static void start_process(void)
{
	pid_t child = vfork();

	if (child == 0) {
		execl("/bin/true", "true", "soak", NULL);
		_exit(127);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
	/* Those of the child are not counted. */
	calls += 2;
}

/* Twenty calls. */
static void turn(unsigned n)
{
	struct sockaddr_un nobody = {AF_UNIX, "/no/such/socket"};
	struct stat st;
	char buffer[512], name[64];
	int pair[2], fd;

	snprintf(name, sizeof name, "/tmp/no-such-file-%u", n % 1000);
	fd = open("/etc/passwd", O_RDONLY);
	for (int i = 0; i < 4; i++)
		calls += read(fd, buffer, sizeof buffer) >= 0;
	fstat(fd, &st);
	close(dup(fd));
	close(fd);
	stat(name, &st);
	access(name, R_OK);
	close(open(name, O_RDONLY));
	getppid();
	getuid();
	if (pipe(pair) == 0) {
		calls += write(pair[1], buffer, 16) == 16;
		close(pair[0]);
		close(pair[1]);
	}
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	connect(fd, (struct sockaddr *)&nobody, sizeof nobody);
	close(fd);
	calls += 17;
	if (n % PROCESS_EVERY == 0)
		start_process();
}

static long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000l + t.tv_nsec;
}

int main(int argc, char **argv)
{
	long rate = argc == 3 ? atol(argv[1]) : 0, end, began = now_ns();
	unsigned n = 0;

	if (rate <= 0) {
		fprintf(stderr, "usage: soak CALLS_PER_SECOND SECONDS\n");
		return 2;
	}
	end = began + atol(argv[2]) * 1000000000l;
	for (long slice = began; slice < end; slice += SLICE_NS) {
		struct timespec until = {slice / 1000000000, slice % 1000000000};

		/* A slice that was missed is made up for. */
		while (calls < (double)(slice - began) / 1e9 * (double)rate)
			turn(n++);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	}
	printf("%ld\n", calls);
	return 0;
}
