/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First instructions of dist/falco: environment variables with which Bun would run code that is not ours lose their names,
 * before anything of Bun runs. BUN_… becomes bUN_…, NODE_… becomes nODE_…. Then the program's own entry is entered.
 * scripts/guard/guard.ts puts this into the executable and writes, behind it, how far the own entry lies from here.
 */
#define LOWER_CASE 0x20
#define BUN_ 0x5f4e5542
#define NODE 0x45444f4e
#define UNDERSCORE 0x5f

	.text
guard_start:
#if defined(__x86_64__)
	/* The stack holds argc, argv and 0, envp and 0. %rdx is for the entry. */
	mov	(%rsp), %rax
	lea	16(%rsp, %rax, 8), %rsi
1:	mov	(%rsi), %rdi
	add	$8, %rsi
	test	%rdi, %rdi
	jz	3f
	cmpl	$BUN_, (%rdi)
	je	2f
	cmpl	$NODE, (%rdi)
	jne	1b
	cmpb	$UNDERSCORE, 4(%rdi)
	jne	1b
2:	orb	$LOWER_CASE, (%rdi)
	jmp	1b
3:	lea	guard_start(%rip), %rax
	add	distance(%rip), %rax
	jmp	*%rax
#elif defined(__aarch64__)
	/* The same; x0 is for the entry. */
	ldr	x9, [sp]
	add	x10, sp, #16
	add	x10, x10, x9, lsl #3
	movz	w13, #(BUN_ & 0xffff)
	movk	w13, #(BUN_ >> 16), lsl #16
	movz	w14, #(NODE & 0xffff)
	movk	w14, #(NODE >> 16), lsl #16
1:	ldr	x11, [x10], #8
	cbz	x11, 3f
	ldr	w12, [x11]
	ldrb	w15, [x11]
	cmp	w12, w13
	b.eq	2f
	cmp	w12, w14
	b.ne	1b
	ldrb	w12, [x11, #4]
	cmp	w12, #UNDERSCORE
	b.ne	1b
2:	orr	w15, w15, #LOWER_CASE
	strb	w15, [x11]
	b	1b
3:	adr	x16, guard_start
	ldr	x17, distance
	add	x16, x16, x17
	br	x16
#else
#error "no guard for this architecture"
#endif
	.balign	8
distance:
