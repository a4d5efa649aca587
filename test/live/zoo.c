// SPDX-License-Identifier: Apache-2.0
/*
 * One process of every kind that a start-up state has to tell, with descriptors of every kind. Says "zoo" when all hold still, and ends
 * with the end of standard input. Takes an empty directory, as root.
 *
 *   zoo DIRECTORY
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

static int check(int result, const char *what)
{
	if (result < 0) {
		perror(what);
		_exit(1);
	}
	return result;
}

static void files(void)
{
	char deep[300] = "", path[512] = ".";

	check(open("plain", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644), "open");
	check(open("/etc/passwd", O_RDONLY), "open");
	check(open("/dev/null", O_WRONLY | O_NONBLOCK), "open");
	check(open(".", O_RDONLY | O_DIRECTORY), "open");
	check(open(".", O_RDWR | O_TMPFILE, 0600), "open");
	check(open("\xc3\xa4 (deleted)\n\x01", O_RDWR | O_CREAT, 0600), "open");
	check(open("gone", O_RDWR | O_CREAT, 0600), "open");
	check(unlink("gone"), "unlink");
	check(mkfifo("fifo", 0600), "mkfifo");
	check(open("fifo", O_RDWR), "open");
	check(memfd_create("memory", MFD_CLOEXEC), "memfd_create");
	/* More names than a short walk would get to. */
	memset(deep, 'd', 3);
	for (int i = 0; i < 60; i++) {
		strcat(path, "/");
		strcat(path, deep);
		check(mkdir(path, 0700), "mkdir");
	}
	check(open(path, O_RDONLY), "open");
}

/* At the end of a path that is longer than the kernel tells. */
static void far_away(void)
{
	int here = check(open(".", O_PATH), "open");
	char name[256];

	memset(name, 'x', 250);
	name[250] = 0;
	for (int i = 0; i < 20; i++) {
		check(mkdir(name, 0700), "mkdir");
		check(chdir(name), "chdir");
	}
	check(open("file", O_RDWR | O_CREAT, 0600), "open");
	check(fchdir(here), "fchdir");
	check(close(here), "close");
}

static void no_files(void)
{
	sigset_t none;
	int ends[2];

	sigemptyset(&none);
	check(pipe(ends), "pipe");
	check(pipe2(ends, O_CLOEXEC | O_NONBLOCK), "pipe2");
	check(eventfd(0, EFD_CLOEXEC), "eventfd");
	check(timerfd_create(CLOCK_MONOTONIC, 0), "timerfd_create");
	check(signalfd(-1, &none, 0), "signalfd");
	check(epoll_create1(0), "epoll_create1");
	check(inotify_init1(0), "inotify_init1");
	check((int)syscall(SYS_pidfd_open, getpid(), 0), "pidfd_open");
	check(dup2(1, 300), "dup2");
}

static void inet(int family, int type)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr *at = family == AF_INET ? (void *)&v4 : (void *)&v6;
	socklen_t size = family == AF_INET ? sizeof v4 : sizeof v6;
	int server = check(socket(family, type, 0), "socket"), client = check(socket(family, type | SOCK_CLOEXEC, 0), "socket");

	check(bind(server, at, size), "bind");
	check(getsockname(server, at, &size), "getsockname");
	if (type == SOCK_STREAM)
		check(listen(server, 4), "listen");
	check(connect(client, at, size), "connect");
	if (type == SOCK_STREAM)
		check(accept(server, NULL, NULL), "accept");
}

static void unix_sockets(const char *name, size_t length)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	socklen_t size = offsetof(struct sockaddr_un, sun_path) + length;
	int server = check(socket(AF_UNIX, SOCK_STREAM, 0), "socket"), client = check(socket(AF_UNIX, SOCK_STREAM, 0), "socket");

	memcpy(at.sun_path, name, length);
	check(bind(server, (void *)&at, size), "bind");
	check(listen(server, 1), "listen");
	check(connect(client, (void *)&at, size), "connect");
	check(accept(server, NULL, NULL), "accept");
}

static void sockets(void)
{
	struct sockaddr_nl at = {.nl_family = AF_NETLINK};
	int pair[2];

	inet(AF_INET, SOCK_STREAM);
	inet(AF_INET, SOCK_DGRAM);
	inet(AF_INET6, SOCK_STREAM);
	inet(AF_INET6, SOCK_DGRAM);
	check(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), "socket");
	check(socket(AF_INET6, SOCK_RAW, IPPROTO_UDP), "socket");
	unix_sockets("socket", sizeof "socket");
	check(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), "socketpair");
	check(bind(check(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), "socket"), (void *)&at, sizeof at), "bind");
}

/* Sockets that no table has, because they are not used yet. */
static void unused_sockets(void)
{
	check(socket(AF_INET6, SOCK_STREAM, 0), "socket");
	check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	check(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), "socket");
}

static void set_up_loopback(void)
{
	if (system("ip link set lo up 2>/dev/null || ifconfig lo up") != 0)
		_exit(1);
}

static void in_another_network(void)
{
	/* Abstract names belong to a network. */
	static const char name[] = "\0ab\0c";

	check(unshare(CLONE_NEWNET), "unshare");
	set_up_loopback();
	sockets();
	unix_sockets(name, sizeof name - 1);
}

static void *thread(void *name)
{
	check(prctl(PR_SET_NAME, name), "prctl");
	for (;;)
		pause();
	return NULL;
}

static void threads(void)
{
	static char *names[] = {"one (1)", "two) x"};
	pthread_t t;

	for (int i = 0; i < 2; i++)
		if (pthread_create(&t, NULL, thread, names[i]) != 0)
			_exit(1);
}

static void in_another_root(void)
{
	check(mkdir("root", 0755), "mkdir");
	check(mkdir("root/inside", 0755), "mkdir");
	check(chroot("root"), "chroot");
	check(chdir("/inside"), "chdir");
	check(open("file", O_RDWR | O_CREAT, 0600), "open");
}

static void in_a_directory_that_is_gone(void)
{
	check(mkdir("here", 0755), "mkdir");
	check(chdir("here"), "chdir");
	check(rmdir("../here"), "rmdir");
}

static void as_somebody(void)
{
	struct rlimit limit = {100, 200};

	check(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
	check(setgroups(0, NULL), "setgroups");
	check(setresgid(2000, 2001, 2002), "setresgid");
	check(setresuid(1000, 1001, 1002), "setresuid");
	check(setsid(), "setsid");
}

static void in_a_pid_namespace(void)
{
	check(unshare(CLONE_NEWPID), "unshare");
	if (check(fork(), "fork") == 0) {
		check(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
		for (int fd = 3; fd < 20; fd++)
			close(fd);
		for (;;)
			pause();
	}
}

/* Writes a title over arguments and into the environment behind them, as servers do. */
static void with_a_title(char *args)
{
	size_t room = strlen(args) + 1;

	memset(args, 't', room + 3);
	args[room + 3] = 0;
}

static char *own_args;

static void titled(void)
{
	with_a_title(own_args);
}

static void plain(void)
{
}

static void (*const kinds[])(void) = {
	plain, files, far_away, no_files, sockets, unused_sockets, in_another_network, threads, in_another_root, in_a_directory_that_is_gone, as_somebody, in_a_pid_namespace, titled,
};

int main(int argc, char **argv)
{
	pid_t zoo = getpid();
	char c;

	if (argc != 3)
		return 2;
	own_args = argv[2];
	check(chdir(argv[1]), "chdir");
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		char name[24], told;
		int up[2];

		check(pipe(up), "pipe");
		if (check(fork(), "fork") == 0) {
			snprintf(name, sizeof name, "%zu", i);
			check(mkdir(name, 0777), "mkdir");
			check(chdir(name), "chdir");
			kinds[i]();
			/* Only now: a change of the user takes it back. */
			check(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
			if (getppid() != zoo)
				_exit(0);
			/* The parent goes on when all ends are closed, the one of a child of ours too. */
			close(up[0]);
			close(up[1]);
			for (;;)
				pause();
		}
		close(up[1]);
		while (read(up[0], &told, 1) > 0)
			;
		close(up[0]);
	}
	puts("zoo");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return 0;
}
