/* SPDX-License-Identifier: Apache-2.0 */
/* mark THREADS CALLS FIRST: every thread closes CALLS descriptors that cannot be open, numbered from FIRST over all threads. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static long calls, first;

static void *run(void *thread)
{
	for (long i = 0; i < calls; i++)
		syscall(SYS_close, (int)(first + (long)thread * calls + i));
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[64];
	long n = argc == 4 ? atol(argv[1]) : 0;

	if (n < 1 || n > 64) {
		fprintf(stderr, "usage: mark THREADS CALLS FIRST\n");
		return 2;
	}
	calls = atol(argv[2]);
	first = atol(argv[3]);
	for (long i = 0; i < n; i++)
		pthread_create(&threads[i], NULL, run, (void *)i);
	for (long i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
