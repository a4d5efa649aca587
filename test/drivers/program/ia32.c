/* SPDX-License-Identifier: Apache-2.0 */
/* Calls through the 32-bit table: the same events, from structures of half the width. */
#include "harness.h"

#if defined(__x86_64__)
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "tuples.h"

/* Numbers of the 32-bit table. */
#define I386_OPEN 5
#define I386_CLOSE 6
#define I386_GETPID 20
#define I386_UMOUNT 22
#define I386_WAITPID 7
#define I386_SOCKETCALL 102
#define I386__LLSEEK 140
#define I386_WRITEV 146
#define I386_NANOSLEEP 162
#define I386_MMAP2 192
#define I386_STAT64 195
#define I386_LSTAT64 196
#define I386_FSTAT64 197
#define I386_GETUID32 199
#define I386_SETRLIMIT 75
#define I386_LCHOWN32 198
#define I386_OPENAT 295
#define I386_PPOLL_TIME64 414
#define I386_PREAD64 180
#define I386_SENDMSG 370

static char *put(char **at, const char *text)
{
	char *p = *at;

	strcpy(p, text);
	*at += strlen(text) + 1;
	return p;
}

/* Tries one in a process of its own: where a kernel or hypervisor has none, the instruction is a fault. */
static int has_32bit_calls(void)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		struct rlimit no_core = {0, 0};

		setrlimit(RLIMIT_CORE, &no_core);
		_exit(CALL32(I386_GETPID) == getpid() ? 0 : 1);
	}
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

void ia32_cases(void)
{
	char *memory = low(65536), *at = memory, *name, *absent, *data, *buffer = memory + 32768;
	struct stat st;
	long fd, r;

	CASE(ia32 getpid)
	if (!has_32bit_calls()) {
		skip_case("this machine has no 32-bit calls");
		return;
	}
	BEGIN;
	CALL32(I386_GETPID);
	END;
	expect("GENERIC_X", "sc:getpid|%d", I386_GETPID);
	name = put(&at, "narrow");
	absent = put(&at, "absent32");
	data = put(&at, "thirty-two");

	CASE(ia32 open)
	BEGIN;
	fd = CALL32(I386_OPEN, name, O_CREAT | O_RDWR, 0600);
	CALL32(I386_OPENAT, AT_FDCWD, absent, O_WRONLY, 0);
	END;
	fstat(fd, &st);
	expect("OPEN_E", "'narrow'|7|0600");
	expect("OPEN_X", "%ld|'narrow'|0x4007|0600|%u|%lu", fd, event_device(&st), st.st_ino);
	expect("OPENAT_2_E", "-100|'absent32'|2|0");
	expect("OPENAT_2_X", "-2|-100|'absent32'|2|0|0|0");

	CASE(ia32 writev)
	{
		uint32_t *v = (uint32_t *)buffer;

		v[0] = (uint32_t)(uintptr_t)data;
		v[1] = 6;
		v[2] = (uint32_t)(uintptr_t)data + 6;
		v[3] = 4;
		BEGIN;
		CALL32(I386_WRITEV, fd, v, 2);
		END;
		expect("WRITEV_X", "10|'thirty-two'|%ld|10", fd);
	}
	CASE(ia32 pread64)
	BEGIN;
	r = CALL32(I386_PREAD64, fd, buffer, 4, 2, 0);
	CALL32(I386_PREAD64, BAD_FD, buffer, 4, 5, 1);
	END;
	expect("PREAD_X", "%ld|'irty'|%ld|4|2", r, fd);
	expect("PREAD_X", "-9|-|%d|4|0x100000005", BAD_FD);

	CASE(ia32 _llseek)
	BEGIN;
	CALL32(I386__LLSEEK, fd, 0, 7, buffer, SEEK_SET);
	CALL32(I386__LLSEEK, BAD_FD, 1, 2, buffer, SEEK_CUR);
	END;
	expect("LLSEEK_X", "0|%ld|7|0", fd);
	expect("LLSEEK_X", "-9|%d|0x100000002|1", BAD_FD);

	CASE(ia32 stat64)
	BEGIN;
	CALL32(I386_STAT64, name, buffer);
	CALL32(I386_LSTAT64, absent, buffer);
	CALL32(I386_FSTAT64, BAD_FD, buffer);
	END;
	expect("STAT64_X", "0|'narrow'");
	expect("LSTAT64_X", "-2|'absent32'");
	expect("FSTAT64_X", "-9");

	CASE(ia32 mmap2)
	BEGIN;
	r = CALL32(I386_MMAP2, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 3);
	END;
	expect("MMAP2_X", "%ld|>1|*|*|0|4096|1|10|-1|3", r < 0 ? r + (1l << 32) : r);

	CASE(ia32 umount)
	BEGIN;
	CALL32(I386_UMOUNT, absent);
	END;
	expect("UMOUNT_1_X", "-2|'absent32'");

	CASE(ia32 ids)
	BEGIN;
	CALL32(I386_GETUID32);
	CALL32(I386_LCHOWN32, name, 70000, 80000);
	END;
	expect("GETUID_X", "%d", getuid());
	expect("LCHOWN_X", "0|'narrow'|70000|80000");

	CASE(ia32 setrlimit)
	{
		uint32_t *l = (uint32_t *)buffer;

		l[0] = 500;
		l[1] = 0xffffffff;
		BEGIN;
		CALL32(I386_SETRLIMIT, 99, l);
		END;
		expect("SETRLIMIT_X", "-22|500|-1|255");
	}
	CASE(ia32 nanosleep)
	{
		int32_t *t = (int32_t *)buffer;
		int64_t *wide = (int64_t *)(buffer + 64);

		t[0] = 0;
		t[1] = 1000;
		wide[0] = 0;
		wide[1] = 0;
		BEGIN;
		CALL32(I386_NANOSLEEP, t, 0);
		CALL32(I386_PPOLL_TIME64, buffer + 128, 0, wide, 0, 0);
		END;
		expect("NANOSLEEP_X", "0|1000");
		expect("PPOLL_X", "0|x:0000|0|0");
	}
	CASE(ia32 socketcall)
	{
		uint32_t *a = (uint32_t *)buffer;
		struct sockaddr_in *to = (struct sockaddr_in *)(buffer + 256);
		long sock;

		a[0] = AF_INET;
		a[1] = SOCK_DGRAM;
		a[2] = 0;
		BEGIN;
		sock = CALL32(I386_SOCKETCALL, 1, a);
		to->sin_family = AF_INET;
		to->sin_port = htons(9);
		to->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		a[0] = sock;
		a[1] = (uint32_t)(uintptr_t)to;
		a[2] = sizeof *to;
		CALL32(I386_SOCKETCALL, 3, a);
		a[1] = (uint32_t)(uintptr_t)data;
		a[2] = 6;
		a[3] = 0;
		CALL32(I386_SOCKETCALL, 9, a);
		a[0] = BAD_FD;
		CALL32(I386_SOCKETCALL, 10, a);
		a[1] = 1;
		CALL32(I386_SOCKETCALL, 13, a);
		CALL32(I386_SOCKETCALL, 99, a);
		END;
		{
			struct sockaddr_in from;
			socklen_t len = sizeof from;

			getsockname(sock, (void *)&from, &len);
			expect("SOCKET_X", "%ld|2|2|0|0", sock);
			expect("CONNECT_E", "%ld|%s", sock, ipv4_address(to));
			expect("CONNECT_X", "0|%s|%ld|%s", ipv4_tuple(&from, to), sock, ipv4_address(to));
			expect("SEND_X", "6|'thirty'|%ld|6|%s", sock, ipv4_tuple(&from, to));
			expect("RECV_X", "-9|-|%d|6|-", BAD_FD);
			expect("SHUTDOWN_X", "-9|%d|1", BAD_FD);
		}
		close(sock);
	}
	CASE(ia32 sendmsg)
	{
		uint32_t *m = (uint32_t *)buffer, *v = (uint32_t *)(buffer + 64);

		memset(m, 0, 28);
		m[2] = (uint32_t)(uintptr_t)v;
		m[3] = 1;
		v[0] = (uint32_t)(uintptr_t)data;
		v[1] = 3;
		BEGIN;
		CALL32(I386_SENDMSG, BAD_FD, m, 0);
		END;
		expect("SENDMSG_X", "-9|'thi'|%d|3|-", BAD_FD);
	}
	CASE(ia32 waitpid)
	BEGIN;
	CALL32(I386_WAITPID, -1, 0, 99999);
	END;
	expect("GENERIC_X", "sc:waitpid|%d", I386_WAITPID);

	CASE(ia32 close)
	BEGIN;
	CALL32(I386_CLOSE, fd);
	END;
	expect("CLOSE_X", "0|%ld", fd);
}
#else
void ia32_cases(void)
{
}
#endif
