// SPDX-License-Identifier: Apache-2.0
/*
 * Processes, threads and descriptors that come and go as fast as they can, until a line comes on standard input. Then each holds
 * still as soon as it can: in futex, which nobody calls otherwise. Another line (or the end of input) ends them.
 *
 *   churn WORKERS
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The descriptor of a page that all share: its first word says when to hold still. */
#define SHARED_FD 9
/*
 * What two threads do to one thing at the same moment can be told in either order. So each has descriptors of its own, and a
 * process with two threads does not fork.
 */
#define FIRST_FD 20
#define FDS 24
/* Generations below the workers, children a process has at a time, and steps of the life of each. */
#define DEPTH 2
#define CHILDREN 2
#define STEPS 400
#define LIFE_S 200
#define PAUSE_US 300

static volatile int *hold;

static long futex(int op, int value)
{
	return syscall(SYS_futex, hold, op, value, NULL, NULL, 0);
}

static void check(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	_exit(1);
}

static void share(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, SHARED_FD, 0);

	check(page != MAP_FAILED, "mmap");
	hold = page;
}

static void hold_still(void)
{
	while (*hold == 1)
		futex(FUTEX_WAIT, 1);
	_exit(0);
}

/* Puts `fd` at the place `to`. */
static void place(int fd, int to, int flags)
{
	if (fd < 0 || fd == to)
		return;
	dup3(fd, to, flags);
	close(fd);
}

static void touch_descriptors(unsigned *seed, int base)
{
	int to = base + (int)(rand_r(seed) % FDS);
	int flags = rand_r(seed) % 3 == 0 ? O_CLOEXEC : 0;
	int pair[2];
	char name[64];

	switch (rand_r(seed) % 12) {
	case 0:
	case 1:
		snprintf(name, sizeof name, "/tmp/churn-%u", rand_r(seed) % 50);
		place(open(name, O_CREAT | O_RDWR, 0600), to, flags);
		break;
	case 2:
		place(open("/usr", O_RDONLY | O_DIRECTORY), to, flags);
		break;
	case 3:
		place(open("/dev/null", O_WRONLY), to, flags);
		break;
	case 4:
		if (pipe2(pair, flags) == 0) {
			place(pair[0], to, flags);
			close(pair[1]);
		}
		break;
	case 5:
		place(eventfd(0, 0), to, flags);
		break;
	case 6:
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0) {
			place(pair[0], to, flags);
			close(pair[1]);
		}
		break;
	case 7:
		place(fcntl(base + (int)(rand_r(seed) % FDS), F_DUPFD, 100), to, flags);
		break;
	case 8:
		dup2(base + (int)(rand_r(seed) % FDS), to);
		break;
	case 9:
		if (base == FIRST_FD && chdir(rand_r(seed) % 2 ? "/tmp" : "/usr/lib") != 0)
			_exit(1);
		break;
	default:
		close(to);
	}
}

static volatile int second_runs;

static void *second_thread(void *arg)
{
	unsigned seed = (unsigned)(size_t)arg;

	for (int i = 0; *hold || i < 200; i++) {
		if (*hold)
			hold_still();
		touch_descriptors(&seed, FIRST_FD + FDS);
		usleep(PAUSE_US);
	}
	second_runs = 0;
	return NULL;
}

static void start_second(unsigned seed)
{
	pthread_t thread;

	second_runs = 1;
	check(pthread_create(&thread, NULL, second_thread, (void *)(size_t)seed) == 0, "pthread_create");
	pthread_detach(thread);
}

/* What a process takes along when it turns into another program. */
struct worker {
	unsigned seed;
	int depth, steps, children;
};

/* Nobody outlives this, whatever goes wrong. */
static void be_mortal(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(LIFE_S);
}

static void turn_into_another(const struct worker *w)
{
	char words[4][16];

	snprintf(words[0], sizeof words[0], "%u", w->seed);
	snprintf(words[1], sizeof words[1], "%d", w->depth);
	snprintf(words[2], sizeof words[2], "%d", w->steps);
	snprintf(words[3], sizeof words[3], "%d", w->children);
	execl("/proc/self/exe", w->seed % 2 ? "churned" : "chopped", words[0], words[1], words[2], words[3], NULL);
	check(0, "exec");
}

static void beget(struct worker *w)
{
	unsigned seed = (unsigned)rand_r(&w->seed);
	pid_t child = fork();

	check(child >= 0, "fork");
	if (child > 0) {
		w->children++;
		return;
	}
	be_mortal();
	*w = (struct worker){seed, w->depth + 1, 0, 0};
}

static void work(struct worker w)
{
	for (; w.depth == 0 || w.steps < STEPS; w.steps++) {
		unsigned dice = (unsigned)rand_r(&w.seed) % 60;

		if (*hold)
			hold_still();
		if (dice == 0 && w.depth < DEPTH && w.children < CHILDREN)
			beget(&w);
		else if (dice == 1 && w.depth > 0)
			turn_into_another(&w);
		else if (dice < 6 && w.depth == DEPTH && !second_runs)
			start_second(w.seed);
		else
			touch_descriptors(&w.seed, FIRST_FD);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			w.children--;
		usleep(PAUSE_US);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	int workers = argc > 1 ? atoi(argv[1]) : 4, shared;
	char line[16];

	if (argc == 5) {
		share();
		work((struct worker){(unsigned)strtoul(argv[1], NULL, 10), atoi(argv[2]), atoi(argv[3]), atoi(argv[4])});
	}
	alarm(LIFE_S);
	shared = memfd_create("churn", 0);
	check(shared >= 0 && ftruncate(shared, 4096) == 0 && dup2(shared, SHARED_FD) == SHARED_FD, "memfd");
	close(shared);
	share();
	/* Orphans come here, and nobody stays that ended. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < workers; i++) {
		if (fork() == 0) {
			be_mortal();
			signal(SIGCHLD, SIG_DFL);
			work((struct worker){(unsigned)i * 7919u + 1u, 0, 0, 0});
		}
	}
	puts("going");
	fflush(stdout);
	if (read(0, line, sizeof line) <= 0)
		return 1;
	*hold = 1;
	if (read(0, line, sizeof line) < 0)
		return 1;
	*hold = 2;
	futex(FUTEX_WAKE, INT_MAX);
	return 0;
}
