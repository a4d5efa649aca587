/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Calls that move data: one buffer, several buffers, messages; and how much of it is kept. */
#ifndef DATA_H
#define DATA_H

#define SNAPLEN_MAX 65000
#define SNAPLEN_FULLCAPTURE 16000
#define SNAPLEN_EXTENDED 2000
#define SNAPLEN_DNS 512
#define PORT_DNS 53
#define PORT_MYSQL 3306
#define PORT_POSTGRES 5432
#define PORT_MONGODB 27017
#define CONTROL_MAX 4096

/* Keeps at least `to` bytes. */
static __always_inline void raise(struct event *e, u32 to)
{
	if (e->left < to)
		e->left = to;
}

#define FOUR(a, b, c, d) ((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)

/* Requests and responses of HTTP by their first four bytes. */
static __always_inline bool is_http(u32 first)
{
	return first == FOUR('G', 'E', 'T', ' ') || first == FOUR('P', 'O', 'S', 'T') || first == FOUR('P', 'U', 'T', ' ') ||
	       first == FOUR('D', 'E', 'L', 'E') || first == FOUR('T', 'R', 'A', 'C') || first == FOUR('C', 'O', 'N', 'N') ||
	       first == FOUR('O', 'P', 'T', 'I') || first == FOUR('H', 'T', 'T', 'P');
}

/* A MySQL packet: three bytes of length, a small sequence number; requests begin with a command of one byte. */
static __always_inline bool is_mysql(u32 first, u32 second)
{
	u32 command = second & 0xff;

	return (first >> 24) < 4 && (first & 0xffffff) != 0 && (command <= 0x1c || command == 0xff || command == 0xfe);
}

/* A Postgres message: a letter and a length of four bytes in network order; or a start packet with its protocol version. */
static __always_inline bool is_postgres(u32 first, u32 second)
{
	u32 type = first & 0xff;

	if ((first & 0xffff) == 0 && (second == FOUR(0, 3, 0, 0) || second == FOUR(4, 0xd2, 0x16, 0x2f)))
		return true;
	return (type == 'Q' || type == 'P' || type == 'S' || type == 'R' || type == 'E' || type == 'T') && (first & 0xff00) == 0;
}

/* A MongoDB message names its operation in the fourth word. */
static __always_inline bool is_mongodb(u32 operation)
{
	return operation == 1 || operation == 1000 || (operation >= 2001 && operation <= 2007) || (operation >= 2010 && operation <= 2013);
}

/* How many bytes to keep of `size` at `addr` that pass through `fd`; `peer` is the address given with them, or 0. */
SHARED kept(u32 kind, s32 fd, u64 addr, u64 size, u64 peer)
{
	SHARED_EVENT(e, kind);
	u32 snaplen;
	u16 lport = 0, rport = 0;
	u32 head[4] = {};

	/* In memory, so that the verifier does not follow every sum of these rules apart. */
	e->left = settings.snaplen;
	if (settings.dynamic_snaplen) {
		struct sock *sk = sock_of(e, fd);

		if (sk) {
			u16 family = KREAD(sk, __sk_common.skc_family);

			if (family == AF_INET || family == AF_INET6) {
				struct user_sockaddr a = {};

				lport = KREAD(sk, __sk_common.skc_num);
				rport = from_net16(KREAD(sk, __sk_common.skc_dport));
				if (rport == 0 && peer) {
					read_sockaddr(&a, peer);
					rport = from_net16(a.port);
				}
			}
		}
		if (!user_read(head, sizeof head, addr))
			user_read(head, 8, addr);
		if (is_http(head[0]))
			raise(e, SNAPLEN_EXTENDED);
	}
	if (lport | rport) {
		u16 first = settings.fullcapture_first, last = settings.fullcapture_last;

		if (last && ((lport >= first && lport <= last) || (rport >= first && rport <= last)))
			raise(e, SNAPLEN_FULLCAPTURE);
		if (settings.statsd_port && (lport == settings.statsd_port || rport == settings.statsd_port))
			raise(e, SNAPLEN_EXTENDED);
		if (rport == PORT_DNS)
			raise(e, SNAPLEN_DNS);
		if ((lport == PORT_MYSQL || rport == PORT_MYSQL) && size >= 5 && is_mysql(head[0], head[1]))
			raise(e, SNAPLEN_EXTENDED);
		if ((lport == PORT_POSTGRES || rport == PORT_POSTGRES) && size >= 7 && is_postgres(head[0], head[1]))
			raise(e, SNAPLEN_EXTENDED);
		if ((lport == PORT_MONGODB || rport == PORT_MONGODB) && size >= 16 && is_mongodb(head[3]))
			raise(e, SNAPLEN_EXTENDED);
	}
	snaplen = e->left;
	if (snaplen > SNAPLEN_MAX)
		snaplen = SNAPLEN_MAX;
	return size < snaplen ? size : snaplen;
}

/* The buffer at `addr` of which `size` bytes hold data. */
static __always_inline void push_data(struct event *e, u64 addr, s64 size, u64 peer)
{
	push_user_bytes(e, addr, addr && size > 0 ? kept(e->kind, e->args[0], addr, size, peer) : 0);
}

/* What a sending call had to send: what was sent, or all it was given when it failed. */
static __always_inline s64 sent(struct event *e, u64 size)
{
	return e->ret >= 0 ? e->ret : (s64)(size & 0x7fffffff);
}

/* A 64-bit position, which takes two arguments of a 32-bit call. */
static __always_inline u64 position(struct event *e, u64 low, u64 high)
{
	return e->compat ? high << 32 | (u32)low : low;
}

FILLER(READ_X)
{
	push_u64(e, e->ret);
	push_data(e, e->args[1], e->ret, 0);
	push_u64(e, (s64)(s32)e->args[0]);
	push_u32(e, e->args[2]);
	return EMIT;
}

FILLER(WRITE_X)
{
	push_u64(e, e->ret);
	push_data(e, e->args[1], sent(e, e->args[2]), 0);
	push_u64(e, (s64)(s32)e->args[0]);
	push_u32(e, e->args[2]);
	return EMIT;
}

FILLER(PREAD_X)
{
	push_u64(e, e->ret);
	push_data(e, e->args[1], e->ret, 0);
	push_u64(e, (s64)(s32)e->args[0]);
	push_u32(e, e->args[2]);
	push_u64(e, position(e, e->args[3], e->args[4]));
	return EMIT;
}

FILLER(PWRITE_X)
{
	push_u64(e, e->ret);
	push_data(e, e->args[1], sent(e, e->args[2]), 0);
	push_u64(e, (s64)(s32)e->args[0]);
	push_u32(e, e->args[2]);
	push_u64(e, position(e, e->args[3], e->args[4]));
	return EMIT;
}

struct iovec {
	u64 base, len;
};

static __always_inline void read_iovec(struct event *e, struct iovec *v, u64 array, u32 i)
{
	if (e->compat) {
		u32 small[2] = {};

		user_read(small, sizeof small, array + 8ull * i);
		v->base = small[0];
		v->len = small[1];
		return;
	}
	if (!user_read(v, sizeof *v, array + 16ull * i)) {
		v->base = 0;
		v->len = 0;
	}
}

LONG_LOOP_TURN(add_up_buffer)
{
	struct iovec v = {};

	if (i >= e->count)
		return 1;
	read_iovec(e, &v, e->array, i);
	e->total += v.len;
	return 0;
}

/* Sum of the lengths of `n` buffers. */
SHARED add_up_iovec(u32 kind, u64 array, u32 n)
{
	SHARED_EVENT(e, kind);

	e->total = 0;
	e->array = array;
	e->count = n;
	LONG_LOOP(e, add_up_buffer);
	return 0;
}

static __always_inline u64 iovec_size(struct event *e, u64 array, u32 n)
{
	add_up_iovec(e->kind, array, n);
	return e->total;
}

LONG_LOOP_TURN(add_buffer)
{
	struct iovec v = {};
	u32 left = e->left, len;

	if (i >= e->count || left == 0)
		return 1;
	read_iovec(e, &v, e->array, i);
	len = v.len < left ? v.len : left;
	if (len == 0)
		return 0;
	if (!add_user_bytes(e, v.base, len))
		return 1;
	e->left = left - len;
	return 0;
}

/* A parameter from the buffers of an array of `n`, which hold `size` bytes of data in all; e->peer is the address that goes with it. */
SHARED push_iovec(u32 kind, s32 fd, u64 array, u32 n, u64 size)
{
	SHARED_EVENT(e, kind);

	open_param(e);
	if (array && size) {
		struct iovec first = {};

		read_iovec(e, &first, array, 0);
		/* What a protocol looks like is told from the first buffer. */
		e->left = kept(e->kind, fd, first.base, size, e->peer);
		e->array = array;
		e->count = n;
		LONG_LOOP(e, add_buffer);
	}
	close_param(e);
	return 0;
}

FILLER(READV_X)
{
	push_u64(e, e->ret);
	push_u32(e, e->ret > 0 ? e->ret : 0);
	push_iovec(e->kind, e->args[0], e->args[1], e->args[2], e->ret > 0 ? e->ret : 0);
	push_u64(e, (s64)(s32)e->args[0]);
	return EMIT;
}

FILLER(PREADV_X)
{
	push_u64(e, e->ret);
	push_u32(e, e->ret > 0 ? e->ret : 0);
	push_iovec(e->kind, e->args[0], e->args[1], e->args[2], e->ret > 0 ? e->ret : 0);
	push_u64(e, (s64)(s32)e->args[0]);
	push_u64(e, position(e, e->args[3], e->args[4]));
	return EMIT;
}

static __always_inline void push_writev(struct event *e)
{
	u64 size = iovec_size(e, e->args[1], e->args[2]);

	push_u64(e, e->ret);
	push_iovec(e->kind, e->args[0], e->args[1], e->args[2], sent(e, size));
	push_u64(e, (s64)(s32)e->args[0]);
	push_u32(e, size);
}

FILLER(WRITEV_X)
{
	push_writev(e);
	return EMIT;
}

FILLER(PWRITEV_X)
{
	push_writev(e);
	push_u64(e, position(e, e->args[3], e->args[4]));
	return EMIT;
}

/* The local buffers of the call hold what was read, or what was to be written. */
FILLER(PROCESS_VM_READV_X)
{
	push_u64(e, e->ret);
	push_u64(e, (s64)(s32)e->args[0]);
	push_iovec(e->kind, -1, e->args[1], e->args[2], e->ret > 0 ? e->ret : 0);
	return EMIT;
}

FILLER(PROCESS_VM_WRITEV_X)
{
	push_u64(e, e->ret);
	push_u64(e, (s64)(s32)e->args[0]);
	push_iovec(e->kind, -1, e->args[1], e->args[2], sent(e, iovec_size(e, e->args[1], e->args[2])));
	return EMIT;
}

static __always_inline void push_send(struct event *e, u64 addr, u32 addr_len)
{
	push_u64(e, e->ret);
	push_data(e, e->args[1], sent(e, e->args[2]), addr);
	push_u64(e, (s64)(s32)e->args[0]);
	push_u32(e, e->args[2]);
	if (e->ret < 0)
		push_empty(e);
	else
		push_tuple(e->kind, e->args[0], addr, addr_len, OUTBOUND);
}

FILLER(SEND_X)
{
	push_send(e, 0, 0);
	return EMIT;
}

FILLER(SENDTO_X)
{
	push_send(e, e->args[4], e->args[5]);
	return EMIT;
}

FILLER(RECV_X)
{
	push_u64(e, e->ret);
	push_data(e, e->args[1], e->ret, 0);
	push_u64(e, (s64)(s32)e->args[0]);
	push_u32(e, e->args[2]);
	if (e->ret < 0)
		push_empty(e);
	else
		push_tuple(e->kind, e->args[0], 0, 0, INBOUND);
	return EMIT;
}

FILLER(RECVFROM_X)
{
	push_u64(e, e->ret);
	push_data(e, e->args[1], e->ret, e->args[4]);
	if (e->ret < 0)
		push_empty(e);
	else
		push_tuple(e->kind, e->args[0], e->args[4], user_u32(e, e->args[5]), INBOUND);
	push_u64(e, (s64)(s32)e->args[0]);
	push_u32(e, e->args[2]);
	return EMIT;
}

/* struct msghdr, whatever the width of its words. */
struct message {
	u64 name, iov, iovlen, control, controllen;
	u32 namelen;
};

static __always_inline void read_message(struct event *e, struct message *m, u64 addr)
{
	if (e->compat) {
		u32 w[6] = {};

		user_read(w, sizeof w, addr);
		m->name = w[0];
		m->namelen = w[1];
		m->iov = w[2];
		m->iovlen = w[3];
		m->control = w[4];
		m->controllen = w[5];
		return;
	}
	u64 w[6] = {};

	user_read(w, sizeof w, addr);
	m->name = w[0];
	m->namelen = w[1];
	m->iov = w[2];
	m->iovlen = w[3];
	m->control = w[4];
	m->controllen = w[5];
}

FILLER(SENDMSG_X)
{
	struct message m = {};
	u64 size;

	read_message(e, &m, e->args[1]);
	size = iovec_size(e, m.iov, m.iovlen);
	push_u64(e, e->ret);
	e->peer = m.name;
	push_iovec(e->kind, e->args[0], m.iov, m.iovlen, sent(e, size));
	push_u64(e, (s64)(s32)e->args[0]);
	push_u32(e, size);
	if (e->ret < 0)
		push_empty(e);
	else
		push_tuple(e->kind, e->args[0], m.name, m.namelen, OUTBOUND);
	return EMIT;
}

static __always_inline void push_control(struct event *e, const struct message *m)
{
	push_user_bytes(e, m->control, m->controllen < CONTROL_MAX ? m->controllen & (CONTROL_MAX - 1) : CONTROL_MAX);
}

FILLER(RECVMSG_X)
{
	struct message m = {};

	push_u64(e, e->ret);
	if (e->ret < 0) {
		push_u32(e, 0);
		push_empty(e);
		push_empty(e);
		push_empty(e);
	} else {
		read_message(e, &m, e->args[1]);
		push_u32(e, e->ret);
		e->peer = m.name;
		push_iovec(e->kind, e->args[0], m.iov, m.iovlen, e->ret);
		push_tuple(e->kind, e->args[0], m.name, m.namelen, INBOUND);
		push_control(e, &m);
	}
	push_u64(e, (s64)(s32)e->args[0]);
	return EMIT;
}

/* struct mmsghdr: a message header and the u32 length of the message, padded. */
static __always_inline u64 message_at(struct event *e, u32 i)
{
	return e->args[1] + (u64)i * (e->compat ? 32 : 64);
}

static __always_inline u32 message_length(struct event *e, u32 i)
{
	return user_u32(e, message_at(e, i) + (e->compat ? 28 : 56));
}

/* One event per message sent or received; when there was none, one of the call. */
REPEATED_FILLER(SENDMMSG_X, e->ret > 0 ? e->ret : 1)
{
	u32 type = slot_event[e->slot & (PROBE_SLOTS - 1)], size;
	bool receives = type == EV_RECVMMSG_X;
	struct message m = {};

	begin(e, type, receives ? NPARAMS_RECVMMSG_X : NPARAMS_SENDMMSG_X);
	if (e->ret > 0) {
		read_message(e, &m, message_at(e, e->turn));
		size = message_length(e, e->turn);
		push_u64(e, size);
		push_u64(e, (s64)(s32)e->args[0]);
		push_u32(e, size);
		e->peer = m.name;
		push_iovec(e->kind, e->args[0], m.iov, m.iovlen, size);
		push_tuple(e->kind, e->args[0], m.name, m.namelen, receives ? INBOUND : OUTBOUND);
	} else {
		push_u64(e, e->ret);
		push_u64(e, (s64)(s32)e->args[0]);
		push_u32(e, 0);
		push_empty(e);
		push_empty(e);
	}
	if (receives)
		push_control(e, &m);
}

#endif
