/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* What a probe and the shim agree on: settings, counters, and the record that carries an event through a ring. */
#ifndef PROBE_ABI_H
#define PROBE_ABI_H

/* Dispatch slots: 0..511 native system-call numbers, 512..1023 calls that only the 32-bit table has (512 + number). */
#define PROBE_SLOTS 1024
#define PROBE_IA32_SLOT 512
/* sched_get_priority_min: a call that does nothing and that hardly anybody makes. */
#if defined(__TARGET_ARCH_arm64) || defined(__aarch64__)
#define PROBE_REFRESH_CALL 126
#else
#define PROBE_REFRESH_CALL 147
#endif
/* Largest event in bytes: header, lengths and parameters. */
#define PROBE_EVENT_MAX 65535
/* Size of the v2 event header: u64 ts, s64 tid, u32 length, u16 type, u32 nparams. */
#define PROBE_EVENT_HEADER 26
/* Bytes before the event in a record: u32 cpu, u32 zero. */
#define PROBE_RECORD_PREFIX 8

/* Drops of a full ring by kind of event; the order is that of probe_counters.drops. */
enum probe_drop {
	PROBE_DROP_CLONE_FORK_EXIT,
	PROBE_DROP_EXECVE_EXIT,
	PROBE_DROP_CONNECT_ENTER,
	PROBE_DROP_CONNECT_EXIT,
	PROBE_DROP_OPEN_ENTER,
	PROBE_DROP_OPEN_EXIT,
	PROBE_DROP_DIR_FILE_EXIT,
	PROBE_DROP_OTHER_INTEREST_EXIT,
	PROBE_DROP_CLOSE_EXIT,
	PROBE_DROP_PROC_EXIT,
	PROBE_DROP_PAGE_FAULT,
	PROBE_DROP_OTHER,
	PROBE_DROP_KINDS
};
/* Room for them, a power of two: the verifier wants to see that an index stays inside. */
#define PROBE_DROP_ROOM 16

/* One per CPU. */
struct probe_counters {
	unsigned long long events;
	unsigned long long drops[PROBE_DROP_ROOM];
	/* Events larger than PROBE_EVENT_MAX. */
	unsigned long long drops_max_size;
	/* Programs that could not run: a tail call without target, no scratch, no ring. */
	unsigned long long drops_bug;
	/* Events given up because another one was being built on the CPU (preemptible kernels). */
	unsigned long long preemptions;
};

/* Written by the shim, read by the probe; may change while the probe runs. */
struct probe_settings {
	/* Nanoseconds since the epoch at CLOCK_BOOTTIME 0. */
	unsigned long long boot_time;
	/*
	 * One bit per number: calls of that number in the native table, or in that of 32-bit calls, may be wanted. The probe looks at
	 * a copy, which it makes anew when somebody makes PROBE_REFRESH_CALL.
	 */
	unsigned long long exit_numbers[PROBE_IA32_SLOT / 64];
	unsigned long long enter_numbers[PROBE_IA32_SLOT / 64];
	/* One bit per slot: system calls whose exit is wanted, and those whose enter is. */
	unsigned long long exit_wanted[PROBE_SLOTS / 64];
	unsigned long long enter_wanted[PROBE_SLOTS / 64];
	/* Bytes kept of a data buffer. */
	unsigned int snaplen;
	/* Process whose own calls are left out; 0 none. */
	unsigned int self;
	/* Ports (inclusive) whose traffic is kept up to 16000 bytes; 0, 0 none. */
	unsigned short fullcapture_first, fullcapture_last;
	/* Port of statsd, kept up to 2000 bytes. */
	unsigned short statsd_port;
	/* Booleans. */
	unsigned char drop_failed;
	unsigned char dynamic_snaplen;
	/*
	 * Dropping mode: 0 off, else only events of the first 1/sampling of every second are kept, and calls that may always be
	 * dropped give none at all.
	 */
	unsigned int sampling;
	/* Written by the probe: whether it is in the part of the second that is dropped. */
	unsigned int dropping;
};

#endif
