/* SPDX-License-Identifier: Apache-2.0 */
/* Making, naming, connecting and describing sockets. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "harness.h"
#include "tuples.h"

/* A dynamic value: its kind, then the value. */
static const char *dynamic(unsigned char kind, const void *value, size_t n)
{
	unsigned char b[200] = {kind};

	memcpy(b + 1, value, n);
	return hex(b, n + 1);
}

static void option_cases(long fd)
{
	uint32_t one = 1, five = 5;
	struct timeval t = {1, 500};
	int64_t ns = 1000500000, refused = -111;
	struct linger l = {1, 2};
	socklen_t len;

	CASE(setsockopt)
	BEGIN;
	CALL(SYS_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &one, 4);
	CALL(SYS_setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
	CALL(SYS_setsockopt, fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
	CALL(SYS_setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, &one, 4);
	CALL(SYS_setsockopt, fd, IPPROTO_IP, 1, &five, 4);
	CALL(SYS_setsockopt, BAD_FD, SOL_SOCKET, SO_MARK, &five, 4);
	CALL(SYS_setsockopt, fd, SOL_SOCKET, 9999, &five, 4);
	END;
	expect("SETSOCKOPT_X", "0|%ld|1|2|%s|4", fd, dynamic(2, &one, 4));
	expect("SETSOCKOPT_X", "0|%ld|1|20|%s|16", fd, dynamic(4, &ns, 8));
	expect("SETSOCKOPT_X", "0|%ld|1|13|%s|8", fd, dynamic(0, &l, 8));
	expect("SETSOCKOPT_X", "0|%ld|2|0|%s|4", fd, dynamic(0, &one, 4));
	expect("SETSOCKOPT_X", "0|%ld|0|0|%s|4", fd, dynamic(0, &five, 4));
	expect("SETSOCKOPT_X", "-9|%d|1|36|%s|4", BAD_FD, dynamic(2, &five, 4));
	expect("SETSOCKOPT_X", "-92|%ld|1|0|%s|4", fd, dynamic(0, &five, 4));
	(void)refused;

	CASE(getsockopt)
	{
		uint32_t type = 0, error = 7, zero32 = SOCK_STREAM;
		uint64_t cookie = 0;
		int64_t zero = 0;
		socklen_t clen = sizeof cookie, tlen = 4, elen = 4;

		len = sizeof type;
		BEGIN;
		CALL(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &len);
		CALL(SYS_getsockopt, fd, SOL_SOCKET, SO_ERROR, &error, &elen);
		CALL(SYS_getsockopt, fd, SOL_SOCKET, SO_COOKIE, &cookie, &clen);
		CALL(SYS_getsockopt, BAD_FD, SOL_SOCKET, SO_TYPE, &type, &tlen);
		END;
		expect("GETSOCKOPT_X", "0|%ld|1|3|%s|4", fd, dynamic(2, &zero32, 4));
		expect("GETSOCKOPT_X", "0|%ld|1|4|%s|4", fd, dynamic(1, &zero, 8));
		expect("GETSOCKOPT_X", "0|%ld|1|53|%s|8", fd, dynamic(3, &cookie, 8));
		expect("GETSOCKOPT_X", "-9|%d|1|3|%s|4", BAD_FD, dynamic(2, &type, 4));
	}
}

static void ipv4_cases(void)
{
	struct sockaddr_in local = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {0}}, peer, nobody = {AF_INET, htons(1), {htonl(INADDR_LOOPBACK)}, {0}};
	socklen_t len = sizeof local;
	long listening, fd, got;

	CASE(socket)
	BEGIN;
	listening = CALL(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	CALL(SYS_socket, 99, SOCK_DGRAM, 5);
	END;
	expect("SOCKET_X", "%ld|2|%d|6|0x1040", listening, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK);
	expect("SOCKET_X", "-97|99|2|5|0");

	CASE(bind_ipv4)
	BEGIN;
	CALL(SYS_bind, listening, &local, sizeof local);
	CALL(SYS_bind, BAD_FD, &nobody, sizeof nobody);
	CALL(SYS_bind, listening, &local, 1);
	END;
	expect("BIND_X", "0|%s|%ld", ipv4_address(&local), listening);
	expect("BIND_X", "-9|%s|%d", ipv4_address(&nobody), BAD_FD);
	expect("BIND_X", "-22|-|%ld", listening);
	getsockname(listening, (void *)&local, &len);

	CASE(listen)
	BEGIN;
	CALL(SYS_listen, listening, 7);
	CALL(SYS_listen, BAD_FD, -2);
	END;
	expect("LISTEN_X", "0|%ld|7", listening);
	expect("LISTEN_X", "-9|%d|-2", BAD_FD);

	fd = socket(AF_INET, SOCK_STREAM, 0);
	CASE(connect_ipv4)
	BEGIN;
	CALL(SYS_connect, fd, &local, sizeof local);
	END;
	len = sizeof peer;
	getsockname(fd, (void *)&peer, &len);
	expect("CONNECT_E", "%ld|%s", fd, ipv4_address(&local));
	expect("CONNECT_X", "0|%s|%ld|%s", ipv4_tuple(&peer, &local), fd, ipv4_address(&local));

	CASE(accept_ipv4)
#ifdef SYS_accept
	BEGIN;
	got = CALL(SYS_accept, listening, 0, 0);
	CALL(SYS_accept, BAD_FD, 0, 0);
	END;
	expect("ACCEPT_5_X", "%ld|%s|0|0|7", got, ipv4_tuple(&peer, &local));
	expect("ACCEPT_5_X", "-9|-|0|0|0");
	close(got);
	close(fd);
#endif
	CASE(accept4_ipv4)
	{
		long one = socket(AF_INET, SOCK_STREAM, 0), two = socket(AF_INET, SOCK_STREAM, 0);

		connect(one, (void *)&local, sizeof local);
		connect(two, (void *)&local, sizeof local);
		len = sizeof peer;
		getsockname(one, (void *)&peer, &len);
		BEGIN;
		got = CALL(SYS_accept4, listening, 0, 0, SOCK_CLOEXEC);
		CALL(SYS_accept4, listening, 0, 0, 99);
		END;
		/* One more waits: 1 of 7. */
		expect("ACCEPT4_6_X", "%ld|%s|14|1|7|0x1000", got, ipv4_tuple(&peer, &local));
		expect("ACCEPT4_6_X", "-22|-|0|0|0|*");
		close(one);
		close(two);
	}
	option_cases(got);

	CASE(shutdown)
	BEGIN;
	CALL(SYS_shutdown, got, SHUT_RDWR);
	CALL(SYS_shutdown, BAD_FD, SHUT_WR);
	END;
	expect("SHUTDOWN_X", "*|%ld|2", got);
	expect("SHUTDOWN_X", "-9|%d|1", BAD_FD);
	close(got);
	close(listening);

	CASE(connect_refused)
	fd = socket(AF_INET, SOCK_STREAM, 0);
	BEGIN;
	CALL(SYS_connect, fd, &nobody, sizeof nobody);
	CALL(SYS_connect, fd, 8, 16);
	END;
	expect("CONNECT_X", "-111|-|%ld|%s", fd, ipv4_address(&nobody));
	expect("CONNECT_X", "-14|-|%ld|-", fd);
	CASE(getsockname)
	BEGIN;
	CALL(SYS_getsockname, fd, 0, 0);
	CALL(SYS_getpeername, BAD_FD, 0, 0);
	END;
	expect("GETSOCKNAME_X", "%s", "");
	expect("GETPEERNAME_X", "%s", "");
	close(fd);
}

static void ipv6_cases(void)
{
	struct sockaddr_in6 local = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT}, peer;
	socklen_t len = sizeof local;
	long listening = socket(AF_INET6, SOCK_STREAM, 0), fd = socket(AF_INET6, SOCK_STREAM, 0), got;

	CASE(connect_ipv6)
	if (bind(listening, (void *)&local, sizeof local) != 0) {
		skip_case("no IPv6");
		return;
	}
	listen(listening, 1);
	getsockname(listening, (void *)&local, &len);
	BEGIN;
	CALL(SYS_connect, fd, &local, sizeof local);
	END;
	getsockname(fd, (void *)&peer, &len);
	expect("CONNECT_E", "%ld|%s", fd, ipv6_address(&local));
	expect("CONNECT_X", "0|%s|%ld|%s", ipv6_tuple(&peer, &local), fd, ipv6_address(&local));
	CASE(accept_ipv6)
	BEGIN;
	got = CALL(SYS_accept4, listening, 0, 0, 0);
	END;
	expect("ACCEPT4_6_X", "%ld|%s|0|0|1|0", got, ipv6_tuple(&peer, &local));
	close(got);
	close(fd);
	close(listening);
}

static void unix_cases(void)
{
	struct sockaddr_un path = {AF_UNIX, "unix.sock"}, name = {AF_UNIX, "\0abstract"};
	socklen_t abstract = 2 + 9;
	unsigned char p[] = "\1unix.sock", n[] = "\1abstract";
	long listening = socket(AF_UNIX, SOCK_STREAM, 0), fd = socket(AF_UNIX, SOCK_STREAM, 0), got;
	int pair[2], none[2];

	CASE(bind_unix)
	BEGIN;
	CALL(SYS_bind, listening, &path, sizeof path);
	END;
	expect("BIND_X", "0|%s|%ld", hex(p, sizeof p), listening);
	listen(listening, 3);
	CASE(connect_unix)
	BEGIN;
	CALL(SYS_connect, fd, &path, sizeof path);
	got = CALL(SYS_accept4, listening, 0, 0, 0);
	END;
	expect("CONNECT_E", "%ld|%s", fd, hex(p, sizeof p));
	expect("CONNECT_X", "0|unix:unix.sock|%ld|%s", fd, hex(p, sizeof p));
	expect("ACCEPT4_6_X", "%ld|unix:unix.sock|0|0|3|0", got);
	close(got);
	close(fd);
	close(listening);
	CASE(bind_abstract)
	listening = socket(AF_UNIX, SOCK_STREAM, 0);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	BEGIN;
	CALL(SYS_bind, listening, &name, abstract);
	CALL(SYS_connect, fd, &name, abstract);
	END;
	expect("BIND_X", "0|%s|%ld", hex(n, sizeof n), listening);
	expect("CONNECT_X", "-111|-|%ld|%s", fd, hex(n, sizeof n));
	close(fd);
	close(listening);
	CASE(socketpair)
	BEGIN;
	CALL(SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, pair);
	CALL(SYS_socketpair, AF_INET, SOCK_STREAM, 0, none);
	END;
	expect("SOCKETPAIR_X", "0|%d|%d|>1|>1|1|2|0", pair[0], pair[1]);
	expect("SOCKETPAIR_X", "-95|-1|-1|0|0|2|1|0");
	close(pair[0]);
	close(pair[1]);
}

void sockets_cases(void)
{
	ipv4_cases();
	ipv6_cases();
	unix_cases();
}
