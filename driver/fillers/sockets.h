/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Sockets: their addresses as parameters, and the calls that name, connect and describe them. */
#ifndef SOCKETS_H
#define SOCKETS_H

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define EINPROGRESS 115
#define UNIX_PATH_MAX 108
/* The kernel's own limit of an address. */
#define SOCKADDR_MAX 128

/* Seen from the process: data comes in, its source is the peer; or it goes out. */
#define INBOUND 0
#define OUTBOUND 1

static __always_inline u16 from_net16(u16 v)
{
	return __builtin_bswap16(v);
}

/* The socket behind a descriptor; NULL when it is something else. */
static __always_inline struct socket *socket_of(struct event *e, s32 fd)
{
	struct file *file = file_of(e, fd);

	if (!file || (KREAD(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	return KREAD(file, private_data);
}

static __always_inline struct sock *sock_of(struct event *e, s32 fd)
{
	struct socket *socket = socket_of(e, fd);

	return socket ? KREAD(socket, sk) : NULL;
}

/* An address given by the process, as much as is of interest. */
struct user_sockaddr {
	u16 family;
	u16 port;
	u32 ip;
	u8 ip6[16];
};

static __always_inline void read_sockaddr(struct user_sockaddr *to, u64 addr)
{
	u32 words[6] = {};

	/* An IPv4 address has 16 bytes, an IPv6 one 24 that matter. */
	if (!user_read(words, sizeof words, addr))
		user_read(words, 16, addr);
	to->family = words[0];
	to->port = words[0] >> 16;
	to->ip = words[1];
	__builtin_memcpy(to->ip6, &words[2], 16);
}

/* Adds the path in a unix address of the process, `len` bytes in all, with a NUL. Abstract names lose their leading NUL. */
static __always_inline void add_user_unix_path(struct event *e, u64 addr, u32 len)
{
	u64 path = addr + 2;
	u32 room = len > 2 ? len - 2 : 0;
	u8 first = 0;
	long n;

	if (room > UNIX_PATH_MAX)
		room = UNIX_PATH_MAX;
	user_read(&first, 1, path);
	if (room > 0 && first == 0) {
		path++;
		room--;
	}
	n = bpf_probe_read_user_str(&e->data[e->pos & POS_MASK], (room & 127) + 1, (const void *)path);
	if (n > 0)
		e->pos += n;
	else
		add_u8(e, 0);
}

/* Adds the name a unix socket is bound to, with a NUL; an empty one when it has none. */
static __always_inline void add_unix_name(struct event *e, struct unix_sock *sk)
{
	struct unix_address *address = KREAD(sk, addr);
	const char *path = (const char *)address + bpf_core_field_offset(struct unix_address, name) + 2;
	int room = KREAD(address, len) - 2;
	char first = 0;
	long n = 0;

	if (address && room > 0) {
		bpf_probe_read_kernel(&first, 1, path);
		if (first == 0) {
			path++;
			room--;
		}
		if (room > UNIX_PATH_MAX)
			room = UNIX_PATH_MAX;
		n = bpf_probe_read_kernel_str(&e->data[e->pos & POS_MASK], (room & 127) + 1, path);
	}
	if (n > 0)
		e->pos += n;
	else
		add_u8(e, 0);
}

/* A parameter of type SOCKADDR from an address of the process; empty for families other than unix and IP. */
static __always_inline void push_sockaddr(struct event *e, u64 addr, u32 len)
{
	struct user_sockaddr a = {};

	open_param(e);
	if (addr && len >= 2 && len <= SOCKADDR_MAX) {
		read_sockaddr(&a, addr);
		if (len == 2 || a.family == AF_UNIX) {
			u16 family = 0;

			user_read(&family, 2, addr);
			if (family == AF_UNIX) {
				add_u8(e, AF_UNIX);
				add_user_unix_path(e, addr, len);
			}
		} else if (a.family == AF_INET) {
			add_u8(e, AF_INET);
			add_u32(e, a.ip);
			add_u16(e, from_net16(a.port));
		} else if (a.family == AF_INET6) {
			add_u8(e, AF_INET6);
			add_kernel_bytes(e, a.ip6, 16);
			add_u16(e, from_net16(a.port));
		}
	}
	close_param(e);
}

/* Adds source and destination: the local end first when data goes out. */
static __always_inline void add_ipv4_tuple(struct event *e, u32 lip, u16 lport, u32 rip, u16 rport, u32 direction)
{
	add_u8(e, AF_INET);
	add_u32(e, direction == OUTBOUND ? lip : rip);
	add_u16(e, direction == OUTBOUND ? lport : rport);
	add_u32(e, direction == OUTBOUND ? rip : lip);
	add_u16(e, direction == OUTBOUND ? rport : lport);
}

static __always_inline void add_ipv6_tuple(struct event *e, const void *lip, u16 lport, const void *rip, u16 rport, u32 direction)
{
	add_u8(e, AF_INET6);
	add_kernel_bytes(e, direction == OUTBOUND ? lip : rip, 16);
	add_u16(e, direction == OUTBOUND ? lport : rport);
	add_kernel_bytes(e, direction == OUTBOUND ? rip : lip, 16);
	add_u16(e, direction == OUTBOUND ? rport : lport);
}

/*
 * A parameter of type SOCKTUPLE: both ends of the socket `fd`. The far end of a socket that is not connected is taken from the
 * address `addr` of `len` bytes that the call was given or gave back, when there is one.
 */
SHARED push_tuple(u32 kind, s32 fd, u64 addr, u32 len, u32 direction)
{
	SHARED_EVENT(e, kind);
	struct sock *sk = sock_of(e, fd);
	struct user_sockaddr peer = {};
	u16 family, lport, rport;

	open_param(e);
	if (!sk)
		goto out;
	family = KREAD(sk, __sk_common.skc_family);
	if (family == AF_INET) {
		struct inet_sock *inet = (struct inet_sock *)sk;
		u32 rip = KREAD(sk, __sk_common.skc_daddr);

		lport = KREAD(inet, inet_sport);
		rport = KREAD(sk, __sk_common.skc_dport);
		if (rport == 0 && addr) {
			read_sockaddr(&peer, addr);
			if (peer.family == AF_INET) {
				rip = peer.ip;
				rport = peer.port;
			}
		}
		add_ipv4_tuple(e, KREAD(inet, inet_saddr), from_net16(lport), rip, from_net16(rport), direction);
	} else if (family == AF_INET6) {
		struct inet_sock *inet = (struct inet_sock *)sk;
		struct ipv6_pinfo *info = KREAD(inet, pinet6);
		const void *rip = &sk->__sk_common.skc_v6_daddr;

		lport = KREAD(inet, inet_sport);
		rport = KREAD(sk, __sk_common.skc_dport);
		if (rport == 0 && addr) {
			read_sockaddr(&peer, addr);
			if (peer.family == AF_INET6) {
				rip = peer.ip6;
				rport = peer.port;
			}
		}
		add_ipv6_tuple(e, &info->saddr, from_net16(lport), rip, from_net16(rport), direction);
	} else if (family == AF_UNIX) {
		struct unix_sock *local = (struct unix_sock *)sk;
		struct sock *other = KREAD(local, peer);

		add_u8(e, AF_UNIX);
		/* The end that data goes to comes first here, as readers of the format expect. */
		add_u64(e, direction == OUTBOUND ? (u64)other : (u64)sk);
		add_u64(e, direction == OUTBOUND ? (u64)sk : (u64)other);
		if (direction == OUTBOUND && !other && addr && len > 2)
			add_user_unix_path(e, addr, len);
		else
			add_unix_name(e, direction == OUTBOUND ? (struct unix_sock *)other : local);
	}
out:
	close_param(e);
	return 0;
}

ENTER_FILLER(CONNECT_E)
{
	push_u64(e, (s64)(s32)e->args[0]);
	push_sockaddr(e, e->args[1], e->args[2]);
	return EMIT;
}

FILLER(CONNECT_X)
{
	push_u64(e, e->ret);
	if (e->ret == 0 || e->ret == -EINPROGRESS)
		push_tuple(e->kind, e->args[0], e->args[1], e->args[2], OUTBOUND);
	else
		push_empty(e);
	push_u64(e, (s64)(s32)e->args[0]);
	push_sockaddr(e, e->args[1], e->args[2]);
	return EMIT;
}

FILLER(BIND_X)
{
	push_u64(e, e->ret);
	push_sockaddr(e, e->args[1], e->args[2]);
	push_u64(e, (s64)(s32)e->args[0]);
	return EMIT;
}

/* Parameters of accept: the new descriptor, its ends, and how full the queue of the listening one is. */
static __always_inline void push_accept(struct event *e)
{
	struct sock *listening = e->ret < 0 ? NULL : sock_of(e, e->args[0]);
	u32 len = 0, max = 0;

	if (listening) {
		len = KREAD(listening, sk_ack_backlog);
		max = KREAD(listening, sk_max_ack_backlog);
	}
	push_u64(e, e->ret);
	if (e->ret < 0)
		push_empty(e);
	else
		push_tuple(e->kind, e->ret, 0, 0, INBOUND);
	push_u8(e, max ? (u64)len * 100 / max : 0);
	push_u32(e, len);
	push_u32(e, max);
}

FILLER(ACCEPT_5_X)
{
	push_accept(e);
	return EMIT;
}

FILLER(ACCEPT4_6_X)
{
	push_accept(e);
	push_u32(e, to_fd_flags(e->args[3]));
	return EMIT;
}

FILLER(SOCKETPAIR_X)
{
	s32 fds[2] = {-1, -1};
	struct sock *source = NULL, *peer = NULL;

	if (e->ret == 0) {
		if (!user_read(fds, sizeof fds, e->args[3]))
			fds[0] = fds[1] = -1;
		source = sock_of(e, fds[0]);
		if (source && KREAD(source, __sk_common.skc_family) == AF_UNIX)
			peer = KREAD((struct unix_sock *)source, peer);
	}
	push_u64(e, e->ret);
	push_u64(e, (s64)fds[0]);
	push_u64(e, (s64)fds[1]);
	push_u64(e, (u64)source);
	push_u64(e, (u64)peer);
	push_u32(e, e->args[0]);
	push_u32(e, e->args[1]);
	push_u32(e, e->args[2]);
	return EMIT;
}

/* Kinds of values of a socket option, numbers of the dynamic parameter. */
#define OPT_BYTES 0
#define OPT_ERRNO 1
#define OPT_U32 2
#define OPT_U64 3
#define OPT_TIME 4
#define SOL_SOCKET 1
#define SO_ERROR 4
#define SO_LINGER 13
#define SO_PEERCRED 17
#define SO_RCVTIMEO 20
#define SO_SNDTIMEO 21
#define SO_BINDTODEVICE 25
#define SO_ATTACH_FILTER 26
#define SO_PEERNAME 28
#define SO_PEERSEC 31
#define SO_MAX_PACING_RATE 47
#define SO_MEMINFO 55
#define SO_COOKIE 57
#define SO_PEERGROUPS 59
#define SO_RCVTIMEO_NEW 66
#define SO_SNDTIMEO_NEW 67

static __always_inline u32 option_kind(u32 level, u32 name)
{
	if (level != SOL_SOCKET || to_sockopt_name(name) == 0)
		return OPT_BYTES;
	switch (name) {
	case SO_ERROR:
		return OPT_ERRNO;
	case SO_RCVTIMEO:
	case SO_SNDTIMEO:
	case SO_RCVTIMEO_NEW:
	case SO_SNDTIMEO_NEW:
		return OPT_TIME;
	case SO_COOKIE:
		return OPT_U64;
	case SO_LINGER:
	case SO_PEERCRED:
	case SO_BINDTODEVICE:
	case SO_ATTACH_FILTER:
	case SO_PEERNAME:
	case SO_PEERSEC:
	case SO_PEERGROUPS:
	case SO_MEMINFO:
		return OPT_BYTES;
	}
	return OPT_U32;
}

static __always_inline void push_option(struct event *e, u32 level, u32 name, u64 value, u32 len)
{
	u32 kind = option_kind(level, name);

	open_param(e);
	add_u8(e, kind);
	switch (kind) {
	case OPT_ERRNO:
		/* The option gives the error as a positive number. */
		add_u64(e, -(s64)(s32)user_u32(e, value));
		break;
	case OPT_U32:
		add_u32(e, user_u32(e, value));
		break;
	case OPT_U64:
		add_u64(e, user_u64(e, value));
		break;
	case OPT_TIME: {
		s64 t[2] = {};

		if (e->compat && name <= SO_SNDTIMEO) {
			s32 small[2] = {};

			user_read(small, sizeof small, value);
			t[0] = small[0];
			t[1] = small[1];
		} else
			user_read(t, sizeof t, value);
		add_u64(e, t[0] * 1000000000ll + t[1] * 1000);
		break;
	}
	default:
		if (value && len)
			add_user_bytes(e, value, len < settings.snaplen ? len : settings.snaplen);
	}
	close_param(e);
}

FILLER(SETSOCKOPT_X)
{
	push_u64(e, e->ret);
	push_u64(e, (s64)(s32)e->args[0]);
	push_u8(e, to_sockopt_level(e->args[1]));
	push_u8(e, e->args[1] == SOL_SOCKET ? to_sockopt_name(e->args[2]) : 0);
	push_option(e, e->args[1], e->args[2], e->args[3], e->args[4]);
	push_u32(e, e->args[4]);
	return EMIT;
}

FILLER(GETSOCKOPT_X)
{
	u32 len = user_u32(e, e->args[4]);

	push_u64(e, e->ret);
	push_u64(e, (s64)(s32)e->args[0]);
	push_u8(e, to_sockopt_level(e->args[1]));
	push_u8(e, e->args[1] == SOL_SOCKET ? to_sockopt_name(e->args[2]) : 0);
	push_option(e, e->args[1], e->args[2], e->args[3], len);
	push_u32(e, len);
	return EMIT;
}

#endif
