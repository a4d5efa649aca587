// SPDX-License-Identifier: Apache-2.0
/*
 * Opens, closes and duplicates the same descriptors as fast as it can, in an empty directory, until a line comes on standard
 * input. Says "held" then, and ends with the end of standard input.
 *
 *   hammer DIRECTORY
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_FD 20
#define FDS 400
#define DIRS 3
#define FILES 4
/* Between two looks at standard input: the rings must not run over. */
#define BURST 24
#define PAUSE_US 20

static void check(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	_exit(1);
}

static unsigned seed = 1;

static int any(int n)
{
	return rand_r(&seed) % n;
}

static int any_fd(void)
{
	return FIRST_FD + any(FDS);
}

/* Gives what was opened a number of ours. */
static void place(int fd)
{
	if (fd < 0)
		return;
	if (fd < FIRST_FD || fd >= FIRST_FD + FDS) {
		dup3(fd, any_fd(), any(2) ? O_CLOEXEC : 0);
		close(fd);
	}
}

static void strike(void)
{
	char name[24];

	switch (any(6)) {
	case 0:
		snprintf(name, sizeof name, "%d/%d", any(DIRS), any(FILES));
		place(open(name, O_RDONLY));
		break;
	case 1:
		snprintf(name, sizeof name, "%d", any(DIRS));
		place(open(name, O_RDONLY | O_DIRECTORY));
		break;
	case 2:
		snprintf(name, sizeof name, "%d", any(FILES));
		place(openat(any_fd(), name, O_RDONLY));
		break;
	case 3:
		close(any_fd());
		break;
	case 4:
		place(fcntl(any_fd(), F_DUPFD, FIRST_FD));
		break;
	default:
		dup2(any_fd(), any_fd());
	}
}

int main(int argc, char **argv)
{
	char name[24], c = 0;

	prctl(PR_SET_PDEATHSIG, 9);
	check(argc == 2 && chdir(argv[1]) == 0, "chdir");
	for (int d = 0; d < DIRS; d++) {
		snprintf(name, sizeof name, "%d", d);
		check(mkdir(name, 0700) == 0, "mkdir");
		for (int f = 0; f < FILES; f++) {
			snprintf(name, sizeof name, "%d/%d", d, f);
			close(open(name, O_CREAT | O_WRONLY, 0600));
		}
	}
	check(fcntl(0, F_SETFL, O_NONBLOCK) == 0, "fcntl");
	puts("going");
	fflush(stdout);
	while (read(0, &c, 1) < 0 && errno == EAGAIN) {
		for (int i = 0; i < BURST; i++)
			strike();
		usleep(PAUSE_US);
	}
	check(fcntl(0, F_SETFL, 0) == 0, "fcntl");
	puts("held");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return 0;
}
