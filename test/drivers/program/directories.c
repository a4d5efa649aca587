/* SPDX-License-Identifier: Apache-2.0 */
/* Directories, mounts, quotas. */
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "harness.h"

/* Runs `f` in a child that has a mount namespace of its own, so that nothing outside changes. */
static void in_own_mounts(void (*f)(void))
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
			skip_case("no mount namespace");
		else
			f();
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void mounts(void)
{
	BEGIN;
	CALL(SYS_mount, "a source", "mnt", "tmpfs", MS_NOSUID | MS_NODEV | MS_RDONLY | 0xc0ed0000, "");
	CALL(SYS_mount, "x", "absent", "nofs", 0, 0);
	CALL(SYS_umount2, "absent", 8 /* UMOUNT_NOFOLLOW */);
	CALL(SYS_umount2, "mnt", MNT_DETACH);
	END;
	expect("MOUNT_X", "0|'a source'|'mnt'|'tmpfs'|7");
	expect("MOUNT_X", "-2|'x'|'absent'|'nofs'|0");
	expect("UMOUNT2_X", "-2|'absent'|8");
	expect("UMOUNT2_X", "0|'mnt'|2");
}

static void roots(void)
{
	BEGIN;
	CALL(SYS_chroot, "absent");
	CALL(SYS_chroot, "d");
	END;
	expect("CHROOT_X", "-2|'absent'");
	expect("CHROOT_X", "0|'d'");
}

void directories_cases(void)
{
	long r;
	char where[256];

#ifdef SYS_mkdir
	CASE(mkdir)
	BEGIN;
	CALL(SYS_mkdir, "d", 0750);
	CALL(SYS_mkdir, "d", 0777);
	END;
	expect("MKDIR_2_X", "0|'d'|0750");
	expect("MKDIR_2_X", "-17|'d'|0777");
	CASE(rmdir)
	mkdir("e", 0700);
	BEGIN;
	CALL(SYS_rmdir, "e");
	CALL(SYS_rmdir, "e");
	END;
	expect("RMDIR_2_X", "0|'e'");
	expect("RMDIR_2_X", "-2|'e'");
#else
	mkdir("d", 0750);
#endif
	CASE(mkdirat)
	BEGIN;
	CALL(SYS_mkdirat, AT_FDCWD, "mnt", 0711);
	CALL(SYS_mkdirat, BAD_FD, "x", 0);
	END;
	expect("MKDIRAT_X", "0|-100|'mnt'|0711");
	expect("MKDIRAT_X", "-9|%d|'x'|0", BAD_FD);

	CASE(getcwd)
	BEGIN;
	r = CALL(SYS_getcwd, where, sizeof where);
	CALL(SYS_getcwd, where, 1);
	END;
	expect("GETCWD_X", "%ld|'%s'", r, where);
	expect("GETCWD_X", "-34|-");

	CASE(chdir)
	BEGIN;
	CALL(SYS_chdir, "d");
	CALL(SYS_chdir, "absent");
	CALL(SYS_chdir, "..");
	END;
	expect("CHDIR_X", "0|'d'");
	expect("CHDIR_X", "-2|'absent'");
	expect("CHDIR_X", "0|'..'");

	CASE(fchdir)
	r = open(".", O_RDONLY);
	BEGIN;
	CALL(SYS_fchdir, r);
	CALL(SYS_fchdir, BAD_FD);
	END;
	expect("FCHDIR_X", "0|%ld", r);
	expect("FCHDIR_X", "-9|%d", BAD_FD);

	CASE(getdents64)
	{
		static char room[4096];
		long n;

		BEGIN;
		n = CALL(SYS_getdents64, r, room, sizeof room);
		CALL(SYS_getdents64, BAD_FD, room, sizeof room);
		END;
		expect("GETDENTS64_X", "%ld|%ld", n, r);
		expect("GETDENTS64_X", "-9|%d", BAD_FD);
#ifdef SYS_getdents
		CASE(getdents)
		BEGIN;
		CALL(SYS_getdents, BAD_FD, room, sizeof room);
		END;
		expect("GETDENTS_X", "-9|%d", BAD_FD);
#endif
	}
	close(r);

	CASE(mount)
	in_own_mounts(mounts);
	CASE(chroot)
	in_own_mounts(roots);

	CASE(quotactl)
	BEGIN;
	/* Q_QUOTAON for users with format vfsv1; Q_GETQUOTA for a group. */
	CALL(SYS_quotactl, 0x80000200u | 0, "/dev/absent", 4, "/aquota.user");
	CALL(SYS_quotactl, 0x80000701u, "/dev/absent", 1000, 8);
	END;
	expect("QUOTACTL_X", "*|'/dev/absent'|'/aquota.user'|0|0|0|0|0|0|0|0|0|0|1|1|1|0|8");
	expect("QUOTACTL_X", "*|'/dev/absent'|-|0|0|0|0|0|0|0|0|0|0|1|0x20|2|1000|1");
}
