/* SPDX-License-Identifier: Apache-2.0 */
/* Mapping, protecting and locking memory. */
#include <sys/uio.h>

#include "harness.h"

void memory_cases(void)
{
	long r, page = sysconf(_SC_PAGESIZE), fd = open("mapped", O_CREAT | O_RDWR, 0600);
	static char target[4096] __attribute__((aligned(4096)));

	if (ftruncate(fd, 8192) != 0)
		perror("ftruncate");
	CASE(brk)
	BEGIN;
	r = CALL(SYS_brk, 0);
	END;
	expect("BRK_4_X", "%lu|>1|*|*|0", r);

	CASE(mmap)
	BEGIN;
	r = CALL(SYS_mmap, 0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 4096);
	CALL(SYS_mmap, 0x1000, 0, PROT_EXEC | PROT_NONE, MAP_SHARED | MAP_NORESERVE, BAD_FD, 0);
	END;
	expect("MMAP_X", "%ld|>1|*|*|0|8192|3|2|%ld|4096", r, fd);
	expect("MMAP_X", "-9|>1|*|*|0x1000|0|4|0x41|%d|0", BAD_FD);

	CASE(mprotect)
	BEGIN;
	CALL(SYS_mprotect, r, 4096, PROT_READ | PROT_EXEC);
	CALL(SYS_mprotect, 1, 2, PROT_WRITE);
	END;
	expect("MPROTECT_X", "0|%ld|4096|5", r);
	expect("MPROTECT_X", "-22|1|2|2");

	CASE(munmap)
	BEGIN;
	CALL(SYS_munmap, r, 8192);
	CALL(SYS_munmap, 1, 1);
	END;
	expect("MUNMAP_X", "0|>1|*|*|%ld|8192", r);
	expect("MUNMAP_X", "-22|>1|*|*|1|1");

	CASE(mlock)
	BEGIN;
	r = CALL(SYS_mlock, target, 100);
	CALL(SYS_mlock, page, 100);
	END;
	expect("MLOCK_X", "%ld|%ld|100", r, A(target));
	expect("MLOCK_X", "-12|%ld|100", page);

	CASE(mlock2)
	BEGIN;
	r = CALL(SYS_mlock2, target, 200, 1 /* MLOCK_ONFAULT */);
	CALL(SYS_mlock2, target, 200, 64);
	END;
	expect("MLOCK2_X", "%ld|%ld|200|1", r, A(target));
	expect("MLOCK2_X", "-22|%ld|200|0", A(target));

	CASE(munlock)
	BEGIN;
	CALL(SYS_munlock, target, 100);
	CALL(SYS_munlock, page, 100);
	END;
	expect("MUNLOCK_X", "0|%ld|100", A(target));
	expect("MUNLOCK_X", "-12|%ld|100", page);

	CASE(mlockall)
	BEGIN;
	CALL(SYS_mlockall, 0);
	r = CALL(SYS_mlockall, 4 | 1 /* MCL_ONFAULT | MCL_CURRENT */);
	END;
	expect("MLOCKALL_X", "-22|0");
	expect("MLOCKALL_X", "%ld|5", r);

	CASE(munlockall)
	BEGIN;
	CALL(SYS_munlockall);
	END;
	expect("MUNLOCKALL_X", "0");

	CASE(process_vm_readv)
	{
		char to[8] = {0}, from[] = "secret!";
		struct iovec local[2] = {{to, 3}, {to + 3, 5}}, remote = {from, 8};

		BEGIN;
		CALL(SYS_process_vm_readv, getpid(), local, 2, &remote, 1, 0);
		CALL(SYS_process_vm_readv, 0x7ffffff, local, 2, &remote, 1, 0);
		END;
		expect("PROCESS_VM_READV_X", "8|%d|%s", getpid(), hex(from, 8));
		expect("PROCESS_VM_READV_X", "-3|%d|-", 0x7ffffff);
		CASE(process_vm_writev)
		BEGIN;
		CALL(SYS_process_vm_writev, getpid(), &remote, 1, local, 2, 0);
		CALL(SYS_process_vm_writev, 0x7ffffff, &remote, 1, local, 2, 0);
		END;
		expect("PROCESS_VM_WRITEV_X", "8|%d|%s", getpid(), hex(from, 8));
		expect("PROCESS_VM_WRITEV_X", "-3|%d|%s", 0x7ffffff, hex(from, 8));
	}
	close(fd);
}
