// SPDX-License-Identifier: Apache-2.0
/*
 * Loads the programs of an object in several threads. The kernel checks a program in the thread that loads it, and takes a third of
 * a second for all of ours; libbpf loads one after the other. So its function that loads a program is wrapped (see
 * scripts/build-driver.sh): what it is called for goes into a queue, and libbpf is given a descriptor that becomes the program's.
 */
#define _GNU_SOURCE
#include "parallel_load.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* More do not help: programs are verified in parallel, but made into machine code one at a time. */
#define MAX_THREADS 8
#define LOG_BYTES (256 * 1024)
/* What is kept of the verifier's words: the end, where the reason is. */
#define LOG_KEPT 1024

struct job {
	struct job *next;
	enum bpf_prog_type type;
	char name[64];
	const char *license;
	struct bpf_insn *insns;
	size_t n_insns;
	struct bpf_prog_load_opts options;
	/* The descriptor that libbpf believes to be the program, and that of the program. */
	int fd, loaded;
	int error;
};

struct parallel_load {
	pthread_mutex_t lock;
	pthread_cond_t more;
	/* All jobs, the next one to be done, and where the next one is added. */
	struct job *first, *todo, **last;
	int complete;
	pthread_t threads[MAX_THREADS];
	int n_threads;
};

/* Of the thread that loads an object now. */
static _Thread_local struct parallel_load *current;

int __real_bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license, const struct bpf_insn *insns, size_t n_insns,
			 const struct bpf_prog_load_opts *options);
int __wrap_bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license, const struct bpf_insn *insns, size_t n_insns,
			 const struct bpf_prog_load_opts *options);

static void run(struct job *job)
{
	job->loaded = __real_bpf_prog_load(job->type, job->name, job->license, job->insns, job->n_insns, &job->options);
	if (job->loaded < 0)
		job->error = errno;
}

/* Puts the program where libbpf has it, as long as libbpf has it. */
static void settle(struct job *job, int kept)
{
	if (job->loaded < 0)
		return;
	if (kept && dup3(job->loaded, job->fd, O_CLOEXEC) < 0)
		job->error = errno;
	close(job->loaded);
}

/* Does jobs until there are none, and none to come. */
static void *work(void *arg)
{
	struct parallel_load *load = arg;

	pthread_mutex_lock(&load->lock);
	for (;;) {
		struct job *job = load->todo;

		if (job) {
			load->todo = job->next;
			pthread_mutex_unlock(&load->lock);
			run(job);
			pthread_mutex_lock(&load->lock);
		} else if (load->complete)
			break;
		else
			pthread_cond_wait(&load->more, &load->lock);
	}
	pthread_mutex_unlock(&load->lock);
	return NULL;
}

struct parallel_load *parallel_load_begin(void)
{
	struct parallel_load *load = calloc(1, sizeof *load);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (!load)
		return NULL;
	pthread_mutex_init(&load->lock, NULL);
	pthread_cond_init(&load->more, NULL);
	load->last = &load->first;
	/* The thread that hands out jobs does some itself in the end. */
	while (load->n_threads < MAX_THREADS && load->n_threads + 1 < cpus && pthread_create(&load->threads[load->n_threads], NULL, work, load) == 0)
		load->n_threads++;
	current = load;
	return load;
}

static void free_job(struct job *job)
{
	free(job->insns);
	free((void *)job->options.func_info);
	free((void *)job->options.line_info);
	free(job);
}

static void *copy(const void *from, size_t size)
{
	void *to = malloc(size ? size : 1);

	return to && size ? memcpy(to, from, size) : to;
}

/* A job of what libbpf asks for. What it points to is libbpf's, which does not keep all of it until the job is done. */
static struct job *new_job(enum bpf_prog_type type, const char *name, const char *license, const struct bpf_insn *insns, size_t n_insns,
			   const struct bpf_prog_load_opts *options)
{
	struct job *job = calloc(1, sizeof *job);

	if (!job)
		return NULL;
	job->type = type;
	snprintf(job->name, sizeof job->name, "%s", name);
	job->license = license;
	job->n_insns = n_insns;
	job->options = *options;
	job->options.log_buf = NULL;
	job->options.log_size = 0;
	job->options.log_level = 0;
	job->insns = copy(insns, n_insns * sizeof *insns);
	job->options.func_info = copy(options->func_info, (size_t)options->func_info_cnt * options->func_info_rec_size);
	job->options.line_info = copy(options->line_info, (size_t)options->line_info_cnt * options->line_info_rec_size);
	job->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (job->insns && job->options.func_info && job->options.line_info && job->fd >= 0)
		return job;
	if (job->fd >= 0)
		close(job->fd);
	free_job(job);
	return NULL;
}

int __wrap_bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license, const struct bpf_insn *insns, size_t n_insns,
			 const struct bpf_prog_load_opts *options)
{
	struct parallel_load *load = current;
	struct job *job;

	/* What libbpf loads to see what the kernel can has no type information. */
	if (!load || !name || !options || options->sz < sizeof *options || !options->prog_btf_fd || options->fd_array)
		return __real_bpf_prog_load(type, name, license, insns, n_insns, options);
	job = new_job(type, name, license, insns, n_insns, options);
	if (!job)
		return __real_bpf_prog_load(type, name, license, insns, n_insns, options);
	pthread_mutex_lock(&load->lock);
	*load->last = job;
	load->last = &job->next;
	if (!load->todo)
		load->todo = job;
	pthread_cond_signal(&load->more);
	pthread_mutex_unlock(&load->lock);
	return job->fd;
}

/* Says why a program was refused, as libbpf does: it is asked for once more, with what the kernel says about it. */
static void explain(struct job *job, char *said, size_t size)
{
	char *log = calloc(1, LOG_BYTES);
	size_t n;
	int fd;

	if (log) {
		job->options.log_buf = log;
		job->options.log_size = LOG_BYTES;
		job->options.log_level = 1;
		fd = __real_bpf_prog_load(job->type, job->name, job->license, job->insns, job->n_insns, &job->options);
		if (fd >= 0)
			close(fd);
	}
	n = log ? strnlen(log, LOG_BYTES) : 0;
	snprintf(said, size, "libbpf: prog '%s': BPF program load failed: %s\n%slibbpf: prog '%s': failed to load: %d\n", job->name,
		 strerror(job->error), n > LOG_KEPT ? log + n - LOG_KEPT : log ? log : "", job->name, -job->error);
	free(log);
}

int parallel_load_end(struct parallel_load *load, int kept, char *said, size_t size)
{
	int error = 0;

	if (!load)
		return 0;
	current = NULL;
	pthread_mutex_lock(&load->lock);
	load->complete = 1;
	pthread_cond_broadcast(&load->more);
	pthread_mutex_unlock(&load->lock);
	work(load);
	for (int i = 0; i < load->n_threads; i++)
		pthread_join(load->threads[i], NULL);
	for (struct job *job = load->first, *next; job; job = next) {
		next = job->next;
		settle(job, kept);
		if (job->error && !error) {
			error = job->error;
			explain(job, said, size);
		}
		free_job(job);
	}
	pthread_cond_destroy(&load->more);
	pthread_mutex_destroy(&load->lock);
	free(load);
	return error;
}
