/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Calls that move data through a buffer. */
#ifndef DATA_H
#define DATA_H

static __always_inline u32 clip(struct event *e, u64 size)
{
	return size < settings.snaplen ? size : settings.snaplen;
}

FILLER(READ_X)
{
	push_u64(e, e->ret);
	push_user_bytes(e, e->args[1], e->ret > 0 ? clip(e, e->ret) : 0);
	push_u64(e, (s64)(s32)e->args[0]);
	push_u32(e, e->args[2]);
	return EMIT;
}

FILLER(WRITE_X)
{
	push_u64(e, e->ret);
	push_user_bytes(e, e->args[1], clip(e, e->ret > 0 ? e->ret : e->args[2]));
	push_u64(e, (s64)(s32)e->args[0]);
	push_u32(e, e->args[2]);
	return EMIT;
}

FILLER(GENERIC_X)
{
	push_u16(e, slot_code[e->slot & (PROBE_SLOTS - 1)]);
	push_u16(e, e->nr);
	return EMIT;
}

#endif
