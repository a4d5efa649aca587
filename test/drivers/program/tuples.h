/* SPDX-License-Identifier: Apache-2.0 */
/* Socket addresses and pairs of them in the form events have: ports in host order, addresses as on the wire. */
#ifndef TUPLES_H
#define TUPLES_H

#include <netinet/in.h>

static inline size_t put_ipv4(unsigned char *to, const struct sockaddr_in *a)
{
	uint16_t port = ntohs(a->sin_port);

	memcpy(to, &a->sin_addr, 4);
	memcpy(to + 4, &port, 2);
	return 6;
}

static inline size_t put_ipv6(unsigned char *to, const struct sockaddr_in6 *a)
{
	uint16_t port = ntohs(a->sin6_port);

	memcpy(to, &a->sin6_addr, 16);
	memcpy(to + 16, &port, 2);
	return 18;
}

static inline const char *ipv4_address(const struct sockaddr_in *a)
{
	unsigned char b[7] = {AF_INET};

	put_ipv4(b + 1, a);
	return hex(b, sizeof b);
}

static inline const char *ipv6_address(const struct sockaddr_in6 *a)
{
	unsigned char b[19] = {AF_INET6};

	put_ipv6(b + 1, a);
	return hex(b, sizeof b);
}

static inline const char *ipv4_tuple(const struct sockaddr_in *from, const struct sockaddr_in *to)
{
	unsigned char b[13] = {AF_INET};

	put_ipv4(b + 1, from);
	put_ipv4(b + 7, to);
	return hex(b, sizeof b);
}

static inline const char *ipv6_tuple(const struct sockaddr_in6 *from, const struct sockaddr_in6 *to)
{
	unsigned char b[37] = {AF_INET6};

	put_ipv6(b + 1, from);
	put_ipv6(b + 19, to);
	return hex(b, sizeof b);
}

#endif
