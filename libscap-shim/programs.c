// SPDX-License-Identifier: Apache-2.0
/*
 * Several programs are there twice: on a bare tracepoint (on_…) and on its perf event (perf_…); see driver/modern_bpf/dispatch.h. What
 * the dispatchers of calls reach by a tail call has to be of their type.
 */
#include "programs.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "shim.h"

#define BARE "on_"
#define PERF "perf_"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Sections of the programs that are called, as in driver/modern_bpf/accessors.h, and the type of the tracepoint they belong to. */
static const struct {
	const char *section, *tracepoint;
} called[] = {{"exit", "btf_trace_sys_exit"}, {"enter", "btf_trace_sys_enter"}};

/* Tracepoints other than those of calls, with the bit that asks for them. */
static const struct {
	const char *name;
	uint32_t bit;
} tracepoints_of_kernel[] = {
	{"page_fault_user", SHIM_TP_FAULT_USER},
	{"page_fault_kernel", SHIM_TP_FAULT_KERNEL},
	{"sched_switch", SHIM_TP_SWITCH},
	{"signal_deliver", SHIM_TP_SIGNAL},
	{"process_exit", SHIM_TP_PROC_EXIT},
	{"process_fork", 0},
	{"process_exec", 0},
};

/*
 * Since Linux 7 the kernel guards what hangs on a tracepoint with an SRCU and no longer by keeping the CPU. The type of the guard is
 * in the kernel's type information where, and only where, it is used.
 */
#define PREEMPTIBLE_GUARD "class_srcu_fast_notrace_t"

/* What the kernel's type information says, once it has been looked at. */
static struct {
	pthread_once_t once;
	int error, preemptible;
	int tracepoints[COUNT(called)];
} kernel = {.once = PTHREAD_ONCE_INIT};

/* Gives a program on a bare tracepoint the type of that: libbpf would search it anew for every one of them. */
static int prepare_load(struct bpf_program *program, struct bpf_prog_load_opts *options, long which)
{
	if (bpf_program__type(program) == BPF_PROG_TYPE_TRACING)
		options->attach_btf_id = (__u32)kernel.tracepoints[which];
	return 0;
}

static void look_at_kernel(void)
{
	struct btf *btf = btf__load_vmlinux_btf();

	if (!btf) {
		kernel.error = -errno;
		return;
	}
	kernel.preemptible = btf__find_by_name_kind(btf, PREEMPTIBLE_GUARD, BTF_KIND_TYPEDEF) > 0;
	for (size_t i = 0; i < COUNT(called); i++) {
		LIBBPF_OPTS(libbpf_prog_handler_opts, options, .cookie = (long)i, .prog_prepare_load_fn = prepare_load);
		int id = btf__find_by_name_kind(btf, called[i].tracepoint, BTF_KIND_TYPEDEF);
		int handler = libbpf_register_prog_handler(called[i].section, BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, &options);

		kernel.tracepoints[i] = id;
		if (id < 0 || handler < 0)
			kernel.error = id < 0 ? id : handler;
	}
	btf__free(btf);
}

int programs_prepare(void)
{
	pthread_once(&kernel.once, look_at_kernel);
	return kernel.error;
}

int programs_preemptible(void)
{
	return kernel.preemptible;
}

static struct bpf_program *find(struct bpf_object *object, const char *prefix, const char *tracepoint)
{
	char name[40];

	snprintf(name, sizeof name, "%s%s", prefix, tracepoint);
	return bpf_object__find_program_by_name(object, name);
}

/* As programs of a perf event, those that the dispatchers call. */
static void call_by_perf(struct bpf_program *program)
{
	for (size_t i = 0; i < COUNT(called); i++) {
		if (strcmp(bpf_program__section_name(program), called[i].section) != 0)
			continue;
		bpf_program__set_type(program, BPF_PROG_TYPE_TRACEPOINT);
		bpf_program__set_expected_attach_type(program, 0);
	}
}

void programs_choose(struct bpf_object *object, int by_perf, uint32_t tracepoints)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		const char *name = bpf_program__name(program);
		struct bpf_program *bare;

		if (by_perf)
			call_by_perf(program);
		if (strncmp(name, PERF, sizeof PERF - 1) != 0)
			continue;
		bare = find(object, BARE, name + sizeof PERF - 1);
		bpf_program__set_autoload(by_perf ? bare : program, 0);
	}
	for (size_t i = 0; i < COUNT(tracepoints_of_kernel); i++) {
		uint32_t bit = tracepoints_of_kernel[i].bit;

		program = bit && !(tracepoints & bit) ? programs_find(object, tracepoints_of_kernel[i].name) : NULL;
		if (program)
			bpf_program__set_autoload(program, 0);
	}
}

struct bpf_program *programs_find(struct bpf_object *object, const char *tracepoint)
{
	static const char *const prefixes[] = {BARE, PERF};

	for (size_t i = 0; i < COUNT(prefixes); i++) {
		struct bpf_program *program = find(object, prefixes[i], tracepoint);

		if (program && bpf_program__autoload(program))
			return program;
	}
	return NULL;
}

const char *programs_tracepoint(uint32_t i)
{
	return i < COUNT(tracepoints_of_kernel) ? tracepoints_of_kernel[i].name : NULL;
}
