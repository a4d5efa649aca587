/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing, duplicating, closing, pipes, and descriptors that are not files. */
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/uio.h>

#include "harness.h"

static void data_cases(void)
{
	static char big[4096];
	char room[64];
	struct iovec v[3] = {{"abc", 3}, {"", 0}, {"defgh", 5}}, in[2] = {{room, 4}, {room + 10, 20}};
	long fd = open("data", O_CREAT | O_RDWR | O_TRUNC, 0600);

	memset(big, 'z', sizeof big);
	CASE(write)
	BEGIN;
	CALL(SYS_write, fd, "hello\0world", 11);
	CALL(SYS_write, BAD_FD, "lost", 4);
	CALL(SYS_write, fd, 8, 4);
	END;
	expect("WRITE_X", "11|%s|%ld|11", hex("hello\0world", 11), fd);
	expect("WRITE_X", "-9|'lost'|%d|4", BAD_FD);
	expect("WRITE_X", "-14|-|%ld|4", fd);

	CASE(write_more_than_snaplen)
	BEGIN;
	CALL(SYS_write, fd, big, sizeof big);
	END;
	expect("WRITE_X", "4096|'%.80s'|%ld|4096", big, fd);

	CASE(read)
	lseek(fd, 0, SEEK_SET);
	BEGIN;
	CALL(SYS_read, fd, room, 5);
	CALL(SYS_read, fd, room + 20, 0);
	CALL(SYS_read, BAD_FD, room, 5);
	END;
	expect("READ_X", "5|'hello'|%ld|5", fd);
	expect("READ_X", "0|-|%ld|0", fd);
	expect("READ_X", "-9|-|%d|5", BAD_FD);

	CASE(pread64)
	BEGIN;
	CALL(SYS_pread64, fd, room, 3, 6);
	CALL(SYS_pread64, BAD_FD, room, 3, 0x123456789al);
	END;
	expect("PREAD_X", "3|'wor'|%ld|3|6", fd);
	expect("PREAD_X", "-9|-|%d|3|0x123456789a", BAD_FD);

	CASE(pwrite64)
	BEGIN;
	CALL(SYS_pwrite64, fd, "XY", 2, 1);
	CALL(SYS_pwrite64, BAD_FD, "no", 2, 7);
	END;
	expect("PWRITE_X", "2|'XY'|%ld|2|1", fd);
	expect("PWRITE_X", "-9|'no'|%d|2|7", BAD_FD);

	CASE(writev)
	BEGIN;
	CALL(SYS_writev, fd, v, 3);
	CALL(SYS_writev, BAD_FD, v, 3);
	END;
	expect("WRITEV_X", "8|'abcdefgh'|%ld|8", fd);
	expect("WRITEV_X", "-9|'abcdefgh'|%d|8", BAD_FD);

	CASE(writev_many)
	{
		/* As many buffers as the kernel takes in one call. */
		static struct iovec many[1024];
		char text[] = "one byte of a buffer each, until there are more bytes than are kept of them: that takes eighty buffers";

		for (int i = 0; i < 1024; i++)
			many[i] = (struct iovec){&text[i % (sizeof text - 1)], 1};
		BEGIN;
		CALL(SYS_writev, BAD_FD, many, 1024);
		CALL(SYS_writev, BAD_FD, many, 70);
		END;
		expect("WRITEV_X", "-9|'%.80s'|%d|1024", text, BAD_FD);
		expect("WRITEV_X", "-9|'%.70s'|%d|70", text, BAD_FD);
	}

	CASE(pwritev)
	BEGIN;
	CALL(SYS_pwritev, fd, v, 3, 100, 0);
	CALL(SYS_pwritev, BAD_FD, v, 1, 9, 0);
	END;
	expect("PWRITEV_X", "8|'abcdefgh'|%ld|8|100", fd);
	expect("PWRITEV_X", "-9|'abc'|%d|3|9", BAD_FD);

	CASE(readv)
	lseek(fd, 100, SEEK_SET);
	BEGIN;
	CALL(SYS_readv, fd, in, 1);
	CALL(SYS_readv, BAD_FD, in, 1);
	END;
	expect("READV_X", "4|4|'abcd'|%ld", fd);
	expect("READV_X", "-9|0|-|%d", BAD_FD);

	CASE(preadv)
	BEGIN;
	CALL(SYS_preadv, fd, in, 2, 101, 0);
	CALL(SYS_preadv, BAD_FD, in, 1, 5, 0);
	END;
	expect("PREADV_X", "24|24|'bcdefghzzzzzzzzzzzzzzzzz'|%ld|101", fd);
	expect("PREADV_X", "-9|0|-|%d|5", BAD_FD);

	CASE(sendfile)
	{
		long to = open("copy", O_CREAT | O_RDWR, 0600), n;
		loff_t offset = 3;

		BEGIN;
		n = CALL(SYS_sendfile, to, fd, &offset, 10);
		CALL(SYS_sendfile, to, BAD_FD, 0, 10);
		END;
		/* The offset is that after the copy. */
		expect("SENDFILE_X", "%ld|%ld|%ld|%ld|10", n, offset, to, fd);
		expect("SENDFILE_X", "-9|0|%ld|%d|10", to, BAD_FD);
		close(to);
	}
	close(fd);
}

static void copies_cases(void)
{
	long fd = open("/dev/null", O_RDWR), n, copy;

	CASE(dup)
	BEGIN;
	n = copy = CALL(SYS_dup, fd);
	CALL(SYS_dup, BAD_FD);
	END;
	expect("DUP_1_X", "%ld|%ld", n, fd);
	expect("DUP_1_X", "-9|%d", BAD_FD);
#ifdef SYS_dup2
	CASE(dup2)
	BEGIN;
	CALL(SYS_dup2, fd, 99);
	CALL(SYS_dup2, BAD_FD, 98);
	END;
	expect("DUP2_X", "99|%ld|99", fd);
	expect("DUP2_X", "-9|%d|98", BAD_FD);
#endif
	CASE(dup3)
	BEGIN;
	CALL(SYS_dup3, fd, 97, O_CLOEXEC);
	CALL(SYS_dup3, fd, fd, 0);
	END;
	expect("DUP3_X", "97|%ld|97|0x1000", fd);
	expect("DUP3_X", "-22|%ld|%ld|0", fd, fd);

	CASE(fcntl)
	BEGIN;
	CALL(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 90);
	CALL(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
	CALL(SYS_fcntl, fd, 12345, 6);
	CALL(SYS_fcntl, BAD_FD, F_GETFL, 0);
	END;
	expect("FCNTL_X", "90|%ld|26|90", fd);
	expect("FCNTL_X", "0|%ld|3|1", fd);
	expect("FCNTL_X", "-22|%ld|0|6", fd);
	expect("FCNTL_X", "-9|%d|4|0", BAD_FD);

	CASE(close)
	BEGIN;
	CALL(SYS_close, 90);
	CALL(SYS_close, BAD_FD);
	END;
	expect("CLOSE_X", "0|90");
	expect("CLOSE_X", "-9|%d", BAD_FD);

	CASE(close_range)
	BEGIN;
	CALL(SYS_close_range, 97, 99, 0);
	n = CALL(SYS_close_range, 600, 700, 4 /* CLOSE_RANGE_CLOEXEC, since 5.11 */);
	CALL(SYS_close_range, 9, 5, 2 /* CLOSE_RANGE_UNSHARE */);
	END;
	expect("CLOSE_RANGE_X", "0|97|99|0");
	expect("CLOSE_RANGE_X", "%ld|600|700|4", n);
	expect("CLOSE_RANGE_X", "-22|9|5|2");

	CASE(ioctl)
	BEGIN;
	CALL(SYS_ioctl, fd, 0x5413, 0x1234);
	CALL(SYS_ioctl, BAD_FD, 0x5401, 0);
	END;
	expect("IOCTL_3_X", "-25|%ld|0x5413|0x1234", fd);
	expect("IOCTL_3_X", "-9|%d|0x5401|0", BAD_FD);
	close(fd);
	close(copy);
}

static unsigned long inode(int fd)
{
	struct stat st;

	fstat(fd, &st);
	return st.st_ino;
}

static void pipe_cases(void)
{
	int fds[2] = {-1, -1}, other[2];
	long n;

	CASE(pipe2)
	BEGIN;
	CALL(SYS_pipe2, fds, O_CLOEXEC | O_NONBLOCK);
	CALL(SYS_pipe2, 8, 0);
	END;
	expect("PIPE2_X", "0|%d|%d|%lu|0x1040", fds[0], fds[1], inode(fds[0]));
	expect("PIPE2_X", "-14|-1|-1|0|0");
#ifdef SYS_pipe
	CASE(pipe)
	BEGIN;
	CALL(SYS_pipe, other);
	CALL(SYS_pipe, 0);
	END;
	expect("PIPE_X", "0|%d|%d|%lu", other[0], other[1], inode(other[0]));
	expect("PIPE_X", "-14|-1|-1|0");
#else
	if (pipe(other) != 0)
		return;
#endif
	CASE(splice)
	if (write(fds[1], "0123456789", 10) != 10)
		perror("write");
	BEGIN;
	n = CALL(SYS_splice, fds[0], 0, other[1], 0, 10, 1 | 2);
	CALL(SYS_splice, BAD_FD, 0, other[1], 0, 77, 4);
	END;
	expect("SPLICE_X", "%ld|%d|%d|10|3", n, fds[0], other[1]);
	expect("SPLICE_X", "-9|%d|%d|77|4", BAD_FD, other[1]);

	CASE(poll)
	{
		struct pollfd p[3] = {{other[0], POLLIN, 0}, {other[1], POLLOUT, 0}, {BAD_FD, POLLIN, 0}};
		struct {
			int64_t fd;
			uint16_t events;
		} __attribute__((packed)) want[3] = {{other[0], 1}, {other[1], 4}, {BAD_FD, 0x40}};
		unsigned char list[2 + sizeof want] = {3, 0};
		struct timespec t = {0, 2000000};
		unsigned long mask = 1ul << (SIGUSR1 - 1);

		memcpy(list + 2, want, sizeof want);
#ifdef SYS_poll
		BEGIN;
		CALL(SYS_poll, p, 3, 100);
		CALL(SYS_poll, 8, 1, -1);
		END;
		expect("POLL_X", "3|%s|100", hex(list, sizeof list));
		expect("POLL_X", "-14|x:0000|-1");
#endif
		CASE(ppoll)
		BEGIN;
		CALL(SYS_ppoll, p, 3, &t, &mask, 8);
		END;
		/* The kernel writes back how much time was left. */
		expect("PPOLL_X", "3|%s|%ld|%u", hex(list, sizeof list), t.tv_sec * 1000000000l + t.tv_nsec, 1u << (SIGUSR1 - 1));
	}
#ifdef SYS_select
	CASE(select)
	{
		struct timeval t = {0, 0};

		BEGIN;
		CALL(SYS_select, 0, 0, 0, 0, &t);
		CALL(SYS_select, -1, 0, 0, 0, &t);
		END;
		expect("SELECT_X", "0");
		expect("SELECT_X", "-22");
	}
#endif
	close(fds[0]);
	close(fds[1]);
	close(other[0]);
	close(other[1]);
}

static void special_cases(void)
{
	unsigned long mask = 1ul << (SIGUSR2 - 1);
	long fd;

	CASE(eventfd2)
	BEGIN;
	fd = CALL(SYS_eventfd2, 3, O_NONBLOCK | O_CLOEXEC);
	CALL(SYS_eventfd2, 4, 0x40);
	END;
	expect("EVENTFD2_X", "%ld|0x1040|3", fd);
	expect("EVENTFD2_X", "-22|0|4");
	close(fd);
#ifdef SYS_eventfd
	CASE(eventfd)
	BEGIN;
	fd = CALL(SYS_eventfd, 9);
	END;
	expect("EVENTFD_X", "%ld|9|0", fd);
	close(fd);
#endif
	CASE(signalfd4)
	BEGIN;
	fd = CALL(SYS_signalfd4, -1, &mask, 8, O_NONBLOCK);
	CALL(SYS_signalfd4, BAD_FD, &mask, 8, O_CLOEXEC);
	END;
	expect("SIGNALFD4_X", "%ld|0x40|-1|%u", fd, 1u << (SIGUSR2 - 1));
	expect("SIGNALFD4_X", "-9|0x1000|%d|%u", BAD_FD, 1u << (SIGUSR2 - 1));
	close(fd);
#ifdef SYS_signalfd
	CASE(signalfd)
	BEGIN;
	fd = CALL(SYS_signalfd, -1, &mask, 8);
	END;
	expect("SIGNALFD_X", "%ld|-1|%u|0", fd, 1u << (SIGUSR2 - 1));
	close(fd);
#endif
	CASE(timerfd_create)
	BEGIN;
	fd = CALL(SYS_timerfd_create, 1, O_NONBLOCK);
	CALL(SYS_timerfd_create, 57, 0);
	END;
	expect("TIMERFD_CREATE_X", "%ld|1|0x40", fd);
	expect("TIMERFD_CREATE_X", "-22|57|0");
	close(fd);
	CASE(inotify_init1)
	BEGIN;
	fd = CALL(SYS_inotify_init1, O_CLOEXEC);
	CALL(SYS_inotify_init1, 1);
	END;
	expect("INOTIFY_INIT1_X", "%ld|0x1000", fd);
	expect("INOTIFY_INIT1_X", "-22|0");
	close(fd);
#ifdef SYS_inotify_init
	CASE(inotify_init)
	BEGIN;
	fd = CALL(SYS_inotify_init);
	END;
	expect("INOTIFY_INIT_X", "%ld|0", fd);
	close(fd);
	CASE(epoll_create)
	BEGIN;
	fd = CALL(SYS_epoll_create, 5);
	CALL(SYS_epoll_create, -3);
	END;
	expect("EPOLL_CREATE_X", "%ld|5", fd);
	expect("EPOLL_CREATE_X", "-22|-3");
	close(fd);
#endif
	CASE(epoll_create1)
	BEGIN;
	fd = CALL(SYS_epoll_create1, EPOLL_CLOEXEC);
	CALL(SYS_epoll_create1, 5);
	END;
	expect("EPOLL_CREATE1_X", "%ld|1", fd);
	expect("EPOLL_CREATE1_X", "-22|0");
#ifdef SYS_epoll_wait
	CASE(epoll_wait)
	{
		struct epoll_event e[4];

		BEGIN;
		CALL(SYS_epoll_wait, fd, e, 4, 0);
		CALL(SYS_epoll_wait, BAD_FD, e, 7, 0);
		END;
		expect("EPOLLWAIT_X", "0|4");
		expect("EPOLLWAIT_X", "-9|7");
	}
#endif
	close(fd);
	CASE(userfaultfd)
	BEGIN;
	fd = CALL(SYS_userfaultfd, 0x77777777);
	END;
	expect("USERFAULTFD_X", "%ld|0x77777777", fd);
}

void descriptors_cases(void)
{
	data_cases();
	copies_cases();
	pipe_cases();
	special_cases();
}
