/* SPDX-License-Identifier: Apache-2.0 */
/* Sending and receiving over sockets. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "harness.h"
#include "tuples.h"

static void ipv4_cases(void)
{
	struct sockaddr_in a = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {0}}, b = a, from, any = {AF_INET, 0, {0}, {0}};
	socklen_t len = sizeof a;
	long fd = socket(AF_INET, SOCK_DGRAM, 0), peer = socket(AF_INET, SOCK_DGRAM, 0), free_fd;
	struct iovec v[2] = {{"two ", 4}, {"parts", 5}};
	char room[64];
	struct iovec in[2] = {{room, 3}, {room + 3, 60}};
	struct msghdr m = {0};

	bind(fd, (void *)&a, sizeof a);
	bind(peer, (void *)&b, sizeof b);
	getsockname(fd, (void *)&a, &len);
	getsockname(peer, (void *)&b, &len);

	CASE(sendto_ipv4)
	BEGIN;
	CALL(SYS_sendto, fd, "datagram", 8, 0, &b, sizeof b);
	CALL(SYS_sendto, BAD_FD, "lost", 4, 0, &b, sizeof b);
	END;
	expect("SENDTO_X", "8|'datagram'|%ld|8|%s", fd, ipv4_tuple(&a, &b));
	expect("SENDTO_X", "-9|'lost'|%d|4|-", BAD_FD);

	CASE(recvfrom_ipv4)
	len = sizeof from;
	BEGIN;
	CALL(SYS_recvfrom, peer, room, 64, 0, &from, &len);
	CALL(SYS_recvfrom, peer, room, 64, MSG_DONTWAIT, 0, 0);
	END;
	expect("RECVFROM_X", "8|'datagram'|%s|%ld|64", ipv4_tuple(&a, &b), peer);
	expect("RECVFROM_X", "-11|-|-|%ld|64", peer);

	CASE(sendto_unbound)
	free_fd = socket(AF_INET, SOCK_DGRAM, 0);
	BEGIN;
	CALL(SYS_sendto, free_fd, "x", 1, 0, &b, sizeof b);
	END;
	len = sizeof any;
	getsockname(free_fd, (void *)&any, &len);
	expect("SENDTO_X", "1|'x'|%ld|1|%s", free_fd, ipv4_tuple(&any, &b));
	close(free_fd);
	recv(peer, room, 64, 0);

	CASE(sendmsg)
	m.msg_name = &b;
	m.msg_namelen = sizeof b;
	m.msg_iov = v;
	m.msg_iovlen = 2;
	BEGIN;
	CALL(SYS_sendmsg, fd, &m, 0);
	CALL(SYS_sendmsg, BAD_FD, &m, 0);
	END;
	expect("SENDMSG_X", "9|'two parts'|%ld|9|%s", fd, ipv4_tuple(&a, &b));
	expect("SENDMSG_X", "-9|'two parts'|%d|9|-", BAD_FD);

	CASE(recvmsg)
	memset(&m, 0, sizeof m);
	m.msg_name = &from;
	m.msg_namelen = sizeof from;
	m.msg_iov = in;
	m.msg_iovlen = 2;
	BEGIN;
	CALL(SYS_recvmsg, peer, &m, 0);
	CALL(SYS_recvmsg, BAD_FD, &m, 0);
	END;
	expect("RECVMSG_X", "9|9|'two parts'|%s|-|%ld", ipv4_tuple(&a, &b), peer);
	expect("RECVMSG_X", "-9|0|-|-|-|%d", BAD_FD);

	CASE(sendmmsg)
	{
		struct mmsghdr mm[3] = {0};
		struct iovec one = {"one", 3}, two = {"two!", 4}, three = {"three", 5};

		mm[0].msg_hdr.msg_iov = &one;
		mm[1].msg_hdr.msg_iov = &two;
		mm[2].msg_hdr.msg_iov = &three;
		for (int i = 0; i < 3; i++) {
			mm[i].msg_hdr.msg_iovlen = 1;
			mm[i].msg_hdr.msg_name = &b;
			mm[i].msg_hdr.msg_namelen = sizeof b;
		}
		BEGIN;
		CALL(SYS_sendmmsg, fd, mm, 3, 0);
		CALL(SYS_sendmmsg, BAD_FD, mm, 3, 0);
		END;
		expect("SENDMMSG_X", "3|%ld|3|'one'|%s", fd, ipv4_tuple(&a, &b));
		expect("SENDMMSG_X", "4|%ld|4|'two!'|%s", fd, ipv4_tuple(&a, &b));
		expect("SENDMMSG_X", "5|%ld|5|'three'|%s", fd, ipv4_tuple(&a, &b));
		expect("SENDMMSG_X", "-9|%d|0|-|-", BAD_FD);
		CASE(recvmmsg)
		{
			static char rooms[3][8];
			struct iovec to[3] = {{rooms[0], 8}, {rooms[1], 8}, {rooms[2], 8}};
			struct sockaddr_in froms[3];

			memset(mm, 0, sizeof mm);
			for (int i = 0; i < 3; i++) {
				mm[i].msg_hdr.msg_iov = &to[i];
				mm[i].msg_hdr.msg_iovlen = 1;
				mm[i].msg_hdr.msg_name = &froms[i];
				mm[i].msg_hdr.msg_namelen = sizeof froms[i];
			}
			BEGIN;
			CALL(SYS_recvmmsg, peer, mm, 3, 0, 0);
			CALL(SYS_recvmmsg, peer, mm, 3, MSG_DONTWAIT, 0);
			END;
			expect("RECVMMSG_X", "3|%ld|3|'one'|%s|-", peer, ipv4_tuple(&a, &b));
			expect("RECVMMSG_X", "4|%ld|4|'two!'|%s|-", peer, ipv4_tuple(&a, &b));
			expect("RECVMMSG_X", "5|%ld|5|'three'|%s|-", peer, ipv4_tuple(&a, &b));
			expect("RECVMMSG_X", "-11|%ld|0|-|-|-", peer);
		}
	}
	close(fd);
	close(peer);
}

/* As many messages as the kernel takes in one call. */
static void many_cases(void)
{
	enum { MANY = 1024 };
	static struct mmsghdr mm[MANY];
	static char text[MANY][8];
	static struct iovec v[MANY];
	struct sockaddr_in a = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {0}}, b = a;
	socklen_t len = sizeof a;
	long fd = socket(AF_INET, SOCK_DGRAM, 0), peer = socket(AF_INET, SOCK_DGRAM, 0);
	int room = 8 << 20;

	setsockopt(peer, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
	bind(fd, (void *)&a, sizeof a);
	bind(peer, (void *)&b, sizeof b);
	getsockname(fd, (void *)&a, &len);
	getsockname(peer, (void *)&b, &len);
	connect(fd, (void *)&b, sizeof b);
	connect(peer, (void *)&a, sizeof a);
	for (int i = 0; i < MANY; i++) {
		v[i] = (struct iovec){text[i], (size_t)snprintf(text[i], sizeof text[i], "m%d", i)};
		mm[i].msg_hdr.msg_iov = &v[i];
		mm[i].msg_hdr.msg_iovlen = 1;
	}
	CASE(sendmmsg_many)
	BEGIN;
	CALL(SYS_sendmmsg, fd, mm, MANY, 0);
	END;
	for (int i = 0; i < MANY; i++)
		expect("SENDMMSG_X", "%zu|%ld|%zu|'m%d'|%s", v[i].iov_len, fd, v[i].iov_len, i, ipv4_tuple(&a, &b));
	CASE(recvmmsg_many)
	BEGIN;
	CALL(SYS_recvmmsg, peer, mm, MANY, MSG_DONTWAIT, 0);
	END;
	for (int i = 0; i < MANY; i++)
		expect("RECVMMSG_X", "%zu|%ld|%zu|'m%d'|%s|-", v[i].iov_len, peer, v[i].iov_len, i, ipv4_tuple(&a, &b));
	close(fd);
	close(peer);
}

static void ipv6_cases(void)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT}, b = a;
	socklen_t len = sizeof a;
	long fd = socket(AF_INET6, SOCK_DGRAM, 0), peer = socket(AF_INET6, SOCK_DGRAM, 0);
	char room[64];

	CASE(sendto_ipv6)
	if (bind(fd, (void *)&a, sizeof a) != 0 || bind(peer, (void *)&b, sizeof b) != 0) {
		skip_case("no IPv6");
		return;
	}
	getsockname(fd, (void *)&a, &len);
	getsockname(peer, (void *)&b, &len);
	connect(fd, (void *)&b, sizeof b);
	BEGIN;
	CALL(SYS_sendto, fd, "six", 3, 0, 0, 0);
	END;
	expect("SENDTO_X", "3|'six'|%ld|3|%s", fd, ipv6_tuple(&a, &b));
	CASE(recvfrom_ipv6)
	{
		struct sockaddr_in6 from;

		BEGIN;
		CALL(SYS_recvfrom, peer, room, 64, 0, &from, &len);
		END;
		expect("RECVFROM_X", "3|'six'|%s|%ld|64", ipv6_tuple(&a, &b), peer);
	}
	close(fd);
	close(peer);
}

static void unix_cases(void)
{
	int pair[2], passed = 1;
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} out, in;
	char data[8];
	struct iovec v = {"fd", 2}, to = {data, 8};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &out, .msg_controllen = sizeof out};

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return;
	memset(&out, 0, sizeof out);
	out.h.cmsg_level = SOL_SOCKET;
	out.h.cmsg_type = SCM_RIGHTS;
	out.h.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&out.h), &passed, sizeof passed);
	CASE(sendmsg_descriptor)
	BEGIN;
	CALL(SYS_sendmsg, pair[0], &m, 0);
	END;
	expect("SENDMSG_X", "2|'fd'|%d|2|unix:", pair[0]);
	CASE(recvmsg_descriptor)
	m.msg_iov = &to;
	m.msg_control = &in;
	m.msg_controllen = sizeof in;
	BEGIN;
	CALL(SYS_recvmsg, pair[1], &m, 0);
	END;
	expect("RECVMSG_X", "2|2|'fd'|unix:|%s|%d", hex(&in, m.msg_controllen), pair[1]);
	close(pair[0]);
	close(pair[1]);
}

void messages_cases(void)
{
	ipv4_cases();
	many_cases();
	ipv6_cases();
	unix_cases();
}
