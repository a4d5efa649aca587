/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A case performs system calls with known arguments between BEGIN and END and then says, with expect(), which events they must
 * have given: one value per parameter, separated by '|':
 *   123, -1, 0x1f   a number         'text'       text, or bytes that spell it
 *   x:0a1b          bytes            -            an empty parameter
 *   *               anything         >5           a number above
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A descriptor that cannot be open. */
#define BAD_FD 7777
#define A(x) ((long)(x))

/* The call as the kernel sees it: the result is -errno when it fails. */
static inline long call6(long nr, long a, long b, long c, long d, long e, long f)
{
	long r;
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;

	__asm__ volatile("syscall" : "=a"(r) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	r = x0;
#endif
	return r;
}
#define CALL_(nr, a, b, c, d, e, f, ...) call6(nr, A(a), A(b), A(c), A(d), A(e), A(f))
#define CALL(...) CALL_(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

#if defined(__x86_64__)
/* The same through the table of 32-bit calls; pointers must lie below 4 GiB, see low(). */
static inline long call32(long nr, long a, long b, long c, long d, long e, long f)
{
	long r = nr;

	/* The sixth argument goes where the compiler may keep its frame. */
	__asm__ volatile("mov %%rbp, %%r12\n\tmov %6, %%rbp\n\tint $0x80\n\tmov %%r12, %%rbp"
			 : "+a"(r)
			 : "b"(a), "c"(b), "d"(c), "S"(d), "D"(e), "r"(f)
			 : "memory", "r8", "r9", "r10", "r11", "r12");
	return (long)(int)r;
}
#define CALL32_(nr, a, b, c, d, e, f, ...) call32(nr, A(a), A(b), A(c), A(d), A(e), A(f))
#define CALL32(...) CALL32_(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#endif

/* Marks in the stream of events where the calls of a case begin; the reader finds it by the descriptor. What comes behind END may follow. */
void mark(void);
#define BEGIN mark()
#define END ((void)0)

/* Names the case that follows. */
void begin_case(const char *name);
/* Says that the case cannot run here, and why. */
void skip_case(const char *why);
/* An event the case must have given; thread `tid` 0 stands for the calling one. */
void expect_of(long tid, const char *event, const char *format, ...) __attribute__((format(printf, 3, 4)));
#define expect(...) expect_of(0, __VA_ARGS__)

/* Bytes as x:…, in a buffer that lives until a few calls later. */
const char *hex(const void *bytes, size_t n);
/* Memory below 4 GiB for 32-bit calls. */
void *low(size_t n);
/* Device as the event has it. */
uint32_t event_device(const struct stat *st);

struct family {
	const char *name;
	void (*run)(void);
};
extern void files_cases(void), directories_cases(void), processes_cases(void), sockets_cases(void), messages_cases(void), memory_cases(void),
	ids_cases(void), descriptors_cases(void), system_cases(void), generic_cases(void), ia32_cases(void);

#define CASE(name) begin_case(#name);

#endif
