/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, creating, linking, renaming, modes, owners. */
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/statfs.h>

#include "harness.h"

/* Values of the schema's open flags. */
#define F_RDONLY 1
#define F_WRONLY 2
#define F_RDWR 3
#define F_CREAT 4
#define F_APPEND 8
#define F_EXCL 0x20
#define F_NONBLOCK 0x40
#define F_SYNC 0x80
#define F_DSYNC 0x10
#define F_TRUNC 0x100
#define F_DIRECTORY 0x400
#define F_CLOEXEC 0x1000
#define F_TMPFILE 0x2000
#define F_CREATED 0x4000

static struct stat st;

static void make(const char *name)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);

	if (fd >= 0)
		close(fd);
}

void files_cases(void)
{
	long r;

	make("plain");
#ifdef SYS_open
	CASE(open_creates)
	BEGIN;
	r = CALL(SYS_open, "made", O_CREAT | O_RDWR | O_CLOEXEC, 0640);
	END;
	fstat(r, &st);
	expect("OPEN_E", "'made'|%d|0640", F_CREAT | F_RDWR | F_CLOEXEC);
	expect("OPEN_X", "%ld|'made'|%d|0640|%u|%lu", r, F_CREAT | F_RDWR | F_CLOEXEC | F_CREATED, event_device(&st), st.st_ino);
	close(r);

	CASE(open_existing)
	BEGIN;
	r = CALL(SYS_open, "made", O_CREAT | O_WRONLY | O_TRUNC | O_APPEND, 0600);
	END;
	fstat(r, &st);
	expect("OPEN_X", "%ld|'made'|%d|0600|%u|%lu", r, F_CREAT | F_WRONLY | F_TRUNC | F_APPEND, event_device(&st), st.st_ino);
	close(r);

	CASE(open_missing)
	BEGIN;
	r = CALL(SYS_open, "absent", O_RDONLY | O_NONBLOCK, 0777);
	END;
	expect("OPEN_E", "'absent'|%d|0", F_RDONLY | F_NONBLOCK);
	expect("OPEN_X", "-2|'absent'|%d|0|0|0", F_RDONLY | F_NONBLOCK);

	CASE(open_bad_pointer)
	BEGIN;
	CALL(SYS_open, 8, O_RDONLY);
	END;
	expect("OPEN_X", "-14|-|%d|0|0|0", F_RDONLY);

	CASE(open_directory)
	BEGIN;
	r = CALL(SYS_open, ".", O_RDONLY | O_DIRECTORY);
	END;
	fstat(r, &st);
	expect("OPEN_X", "%ld|'.'|%d|0|%u|%lu", r, F_RDONLY | F_DIRECTORY, event_device(&st), st.st_ino);
	close(r);

	CASE(creat)
	BEGIN;
	r = CALL(SYS_creat, "created", 0604);
	END;
	fstat(r, &st);
	expect("CREAT_E", "'created'|0604");
	expect("CREAT_X", "%ld|'created'|0604|%u|%lu|*", r, event_device(&st), st.st_ino);
	close(r);

	CASE(creat_fails)
	BEGIN;
	CALL(SYS_creat, "no/such/dir", 0604);
	END;
	expect("CREAT_X", "-2|'no/such/dir'|0604|0|0|0");
#endif

	CASE(openat_creates)
	BEGIN;
	r = CALL(SYS_openat, AT_FDCWD, "at", O_CREAT | O_EXCL | O_RDWR | O_DSYNC, 0600);
	END;
	fstat(r, &st);
	expect("OPENAT_2_E", "-100|'at'|%d|0600", F_CREAT | F_EXCL | F_RDWR | F_DSYNC);
	expect("OPENAT_2_X", "%ld|-100|'at'|%d|0600|%u|%lu", r, F_CREAT | F_EXCL | F_RDWR | F_DSYNC | F_CREATED, event_device(&st), st.st_ino);
	close(r);

	CASE(openat_exists)
	BEGIN;
	CALL(SYS_openat, AT_FDCWD, "at", O_CREAT | O_EXCL | O_RDWR | O_SYNC, 0600);
	END;
	expect("OPENAT_2_X", "-17|-100|'at'|%d|0600|0|0", F_CREAT | F_EXCL | F_RDWR | F_SYNC | F_DSYNC);

	CASE(openat_bad_directory)
	BEGIN;
	CALL(SYS_openat, BAD_FD, "at", O_WRONLY);
	END;
	expect("OPENAT_2_X", "-9|%d|'at'|%d|0|0|0", BAD_FD, F_WRONLY);

	CASE(openat_temporary)
	BEGIN;
	r = CALL(SYS_openat, AT_FDCWD, ".", O_TMPFILE | O_RDWR, 0600);
	END;
	if (r < 0)
		skip_case("the file system has no temporary files");
	else {
		fstat(r, &st);
		expect("OPENAT_2_X", "%ld|-100|'.'|*|0600|%u|%lu", r, event_device(&st), st.st_ino);
		close(r);
	}

	CASE(openat_long_path)
	{
		static char path[4096];

		memset(path, '/', 4000);
		strcpy(path + 4000, "tmp");
		BEGIN;
		r = CALL(SYS_openat, AT_FDCWD, path, O_RDONLY);
		END;
		fstat(r, &st);
		expect("OPENAT_2_X", "%ld|-100|'%s'|%d|0|%u|%lu", r, path, F_RDONLY, event_device(&st), st.st_ino);
		close(r);
	}

	CASE(openat2)
	{
		struct open_how how = {.flags = O_CREAT | O_RDWR, .mode = 0640, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};

		BEGIN;
		r = CALL(SYS_openat2, AT_FDCWD, "at2", &how, sizeof how);
		END;
		fstat(r, &st);
		expect("OPENAT2_E", "-100|'at2'|%d|0640|9", F_CREAT | F_RDWR);
		expect("OPENAT2_X", "%ld|-100|'at2'|%d|0640|9|%u|%lu", r, F_CREAT | F_RDWR | F_CREATED, event_device(&st), st.st_ino);
		close(r);
	}

	CASE(openat2_escapes)
	{
		struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS};

		BEGIN;
		CALL(SYS_openat2, AT_FDCWD, "/etc/passwd", &how, sizeof how);
		END;
		expect("OPENAT2_X", "-18|-100|'/etc/passwd'|%d|0|0x15|0|0", F_RDONLY);
	}

	CASE(open_by_handle_at)
	{
		struct {
			struct file_handle h;
			char room[128];
		} handle = {.h.handle_bytes = 128};
		int mount_id, dir = open(".", O_RDONLY | O_DIRECTORY);
		char where[256], path[300];

		if (name_to_handle_at(AT_FDCWD, "plain", &handle.h, &mount_id, 0) != 0 || !getcwd(where, sizeof where))
			skip_case("the file system has no handles");
		else {
			BEGIN;
			r = CALL(SYS_open_by_handle_at, dir, &handle, O_RDONLY | O_CLOEXEC);
			END;
			snprintf(path, sizeof path, "%s/plain", where);
			fstat(r, &st);
			expect("OPEN_BY_HANDLE_AT_X", "%ld|%d|%d|'%s'|%u|%lu", r, dir, F_RDONLY | F_CLOEXEC, path, event_device(&st), st.st_ino);
			close(r);
		}
		close(dir);
	}

	CASE(open_by_handle_at_fails)
	BEGIN;
	r = CALL(SYS_open_by_handle_at, BAD_FD, 8, O_RDWR);
	END;
	expect("OPEN_BY_HANDLE_AT_X", "%ld|%d|%d|-|0|0", r, BAD_FD, F_RDWR);

#ifdef SYS_link
	CASE(link)
	BEGIN;
	CALL(SYS_link, "plain", "hard");
	END;
	expect("LINK_2_X", "0|'plain'|'hard'");
	CASE(link_exists)
	BEGIN;
	CALL(SYS_link, "plain", "hard");
	END;
	expect("LINK_2_X", "-17|'plain'|'hard'");
	CASE(symlink)
	BEGIN;
	CALL(SYS_symlink, "to/where", "soft");
	END;
	expect("SYMLINK_X", "0|'to/where'|'soft'");
	CASE(rename)
	BEGIN;
	CALL(SYS_rename, "hard", "harder");
	END;
	expect("RENAME_X", "0|'hard'|'harder'");
	CASE(rename_missing)
	BEGIN;
	CALL(SYS_rename, "hard", "harder");
	END;
	expect("RENAME_X", "-2|'hard'|'harder'");
	CASE(unlink)
	BEGIN;
	CALL(SYS_unlink, "harder");
	END;
	expect("UNLINK_2_X", "0|'harder'");
	CASE(unlink_missing)
	BEGIN;
	CALL(SYS_unlink, "harder");
	END;
	expect("UNLINK_2_X", "-2|'harder'");
	CASE(chmod)
	BEGIN;
	CALL(SYS_chmod, "plain", 04755);
	END;
	expect("CHMOD_X", "0|'plain'|04755");
	CASE(chmod_missing)
	BEGIN;
	CALL(SYS_chmod, "absent", 0777);
	END;
	expect("CHMOD_X", "-2|'absent'|0777");
	CASE(chown)
	BEGIN;
	CALL(SYS_chown, "plain", 12, 34);
	END;
	expect("CHOWN_X", "0|'plain'|12|34");
	CASE(lchown)
	BEGIN;
	CALL(SYS_lchown, "soft", 56, -1);
	END;
	expect("LCHOWN_X", "0|'soft'|56|0xffffffff");
	CASE(stat)
	BEGIN;
	CALL(SYS_stat, "plain", &st);
	CALL(SYS_stat, "absent", &st);
	CALL(SYS_lstat, "soft", &st);
	END;
	expect("STAT_X", "0|'plain'");
	expect("STAT_X", "-2|'absent'");
	expect("LSTAT_X", "0|'soft'");
	CASE(access)
	BEGIN;
	CALL(SYS_access, "plain", R_OK | X_OK);
	CALL(SYS_access, "absent", F_OK);
	END;
	expect("ACCESS_X", "0|'plain'|5");
	expect("ACCESS_X", "-2|'absent'|0");
	CASE(mknod)
	BEGIN;
	CALL(SYS_mknod, "fifo", S_IFIFO | 0600, 0);
	CALL(SYS_mknod, "no/dev", S_IFCHR | 0666, 0x103);
	END;
	expect("MKNOD_X", "0|'fifo'|010600|0");
	expect("MKNOD_X", "-2|'no/dev'|020666|%u", 1u << 20 | 3);
#endif
	CASE(linkat)
	BEGIN;
	CALL(SYS_linkat, AT_FDCWD, "plain", AT_FDCWD, "hardat", AT_SYMLINK_FOLLOW);
	CALL(SYS_linkat, BAD_FD, "a", BAD_FD + 1, "b", 0);
	END;
	expect("LINKAT_2_X", "0|-100|'plain'|-100|'hardat'|0x400");
	expect("LINKAT_2_X", "-9|%d|'a'|%d|'b'|0", BAD_FD, BAD_FD + 1);
	CASE(symlinkat)
	BEGIN;
	CALL(SYS_symlinkat, "target", AT_FDCWD, "softat");
	CALL(SYS_symlinkat, "target", BAD_FD, "b");
	END;
	expect("SYMLINKAT_X", "0|'target'|-100|'softat'");
	expect("SYMLINKAT_X", "-9|'target'|%d|'b'", BAD_FD);
#ifdef SYS_renameat
	CASE(renameat)
	BEGIN;
	CALL(SYS_renameat, AT_FDCWD, "hardat", AT_FDCWD, "moved");
	CALL(SYS_renameat, BAD_FD, "a", AT_FDCWD, "b");
	END;
	expect("RENAMEAT_X", "0|-100|'hardat'|-100|'moved'");
	expect("RENAMEAT_X", "-9|%d|'a'|-100|'b'", BAD_FD);
#endif
	CASE(renameat2)
	BEGIN;
	CALL(SYS_renameat2, AT_FDCWD, "moved", AT_FDCWD, "plain", 1 /* RENAME_NOREPLACE */);
	CALL(SYS_renameat2, AT_FDCWD, "moved", AT_FDCWD, "plain", 2 /* RENAME_EXCHANGE */);
	END;
	expect("RENAMEAT2_X", "-17|-100|'moved'|-100|'plain'|1");
	expect("RENAMEAT2_X", "0|-100|'moved'|-100|'plain'|2");
	CASE(unlinkat)
	BEGIN;
	CALL(SYS_unlinkat, AT_FDCWD, "moved", 0);
	CALL(SYS_unlinkat, AT_FDCWD, "moved", AT_REMOVEDIR);
	END;
	expect("UNLINKAT_2_X", "0|-100|'moved'|0");
	expect("UNLINKAT_2_X", "-2|-100|'moved'|0x200");
	CASE(fchmod)
	r = open("plain", O_RDWR);
	BEGIN;
	CALL(SYS_fchmod, r, 0600);
	CALL(SYS_fchmod, BAD_FD, 07777);
	END;
	expect("FCHMOD_X", "0|%ld|0600", r);
	expect("FCHMOD_X", "-9|%d|07777", BAD_FD);
	CASE(fchmodat)
	BEGIN;
	CALL(SYS_fchmodat, AT_FDCWD, "plain", 0644);
	CALL(SYS_fchmodat, BAD_FD, "plain", 02000);
	END;
	expect("FCHMODAT_X", "0|-100|'plain'|0644");
	expect("FCHMODAT_X", "-9|%d|'plain'|02000", BAD_FD);
	CASE(fchown)
	BEGIN;
	CALL(SYS_fchown, r, 0, 5);
	CALL(SYS_fchown, BAD_FD, 1, 2);
	END;
	expect("FCHOWN_X", "0|%ld|0|5", r);
	expect("FCHOWN_X", "-9|%d|1|2", BAD_FD);
	CASE(fchownat)
	BEGIN;
	CALL(SYS_fchownat, AT_FDCWD, "softat", 7, 8, AT_SYMLINK_NOFOLLOW);
	CALL(SYS_fchownat, BAD_FD, "x", 7, 8, AT_EMPTY_PATH);
	END;
	expect("FCHOWNAT_X", "0|-100|'softat'|7|8|0x400");
	expect("FCHOWNAT_X", "-9|%d|'x'|7|8|0x1000", BAD_FD);
	CASE(mknodat)
	BEGIN;
	CALL(SYS_mknodat, AT_FDCWD, "fifoat", S_IFIFO | 0644, 0);
	CALL(SYS_mknodat, BAD_FD, "x", S_IFBLK | 0600, 0x700);
	END;
	expect("MKNODAT_X", "0|-100|'fifoat'|010644|0");
	expect("MKNODAT_X", "-9|%d|'x'|060600|%u", BAD_FD, 7u << 20);
	CASE(fstat)
	BEGIN;
	CALL(SYS_fstat, r, &st);
	CALL(SYS_fstat, BAD_FD, &st);
	END;
	expect("FSTAT_X", "0|%ld", r);
	expect("FSTAT_X", "-9|%d", BAD_FD);
	CASE(newfstatat)
	BEGIN;
	CALL(SYS_newfstatat, AT_FDCWD, "softat", &st, AT_SYMLINK_NOFOLLOW);
	CALL(SYS_newfstatat, r, "", &st, AT_EMPTY_PATH);
	CALL(SYS_newfstatat, BAD_FD, "x", &st, AT_NO_AUTOMOUNT);
	END;
	expect("NEWFSTATAT_X", "0|-100|'softat'|0x100");
	expect("NEWFSTATAT_X", "0|%ld|''|0x1000", r);
	expect("NEWFSTATAT_X", "-9|%d|'x'|0x800", BAD_FD);
	CASE(flock)
	BEGIN;
	CALL(SYS_flock, r, LOCK_EX | LOCK_NB);
	CALL(SYS_flock, r, LOCK_UN);
	CALL(SYS_flock, BAD_FD, LOCK_SH);
	END;
	expect("FLOCK_X", "0|%ld|6", r);
	expect("FLOCK_X", "0|%ld|8", r);
	expect("FLOCK_X", "-9|%d|1", BAD_FD);
	CASE(lseek)
	BEGIN;
	CALL(SYS_lseek, r, 5, SEEK_SET);
	CALL(SYS_lseek, r, -1, SEEK_CUR);
	CALL(SYS_lseek, BAD_FD, 9, SEEK_END);
	END;
	expect("LSEEK_X", "5|%ld|5|0", r);
	expect("LSEEK_X", "4|%ld|0xffffffffffffffff|1", r);
	expect("LSEEK_X", "-9|%d|9|2", BAD_FD);
	CASE(memfd_create)
	{
		long fd;

		BEGIN;
		fd = CALL(SYS_memfd_create, "in memory", 1 /* MFD_CLOEXEC */ | 2 /* MFD_ALLOW_SEALING */);
		CALL(SYS_memfd_create, "x", 0x800);
		END;
		expect("MEMFD_CREATE_X", "%ld|'in memory'|3", fd);
		expect("MEMFD_CREATE_X", "-22|'x'|0");
		close(fd);
	}
	CASE(copy_file_range)
	{
		long from = open("source", O_CREAT | O_RDWR, 0600), to = open("target", O_CREAT | O_RDWR, 0600), n;
		loff_t in = 2, out = 4;

		if (write(from, "0123456789", 10) != 10)
			perror("write");
		BEGIN;
		n = CALL(SYS_copy_file_range, from, &in, to, &out, 5, 0);
		CALL(SYS_copy_file_range, BAD_FD, 0, to, 0, 5, 0);
		END;
		/* The offsets are those after the copy. */
		expect("COPY_FILE_RANGE_X", "%ld|%ld|%ld|%ld|%ld|5", n, to, out, from, in);
		expect("COPY_FILE_RANGE_X", "-9|%ld|0|%d|0|5", to, BAD_FD);
		close(from);
		close(to);
	}
	close(r);
}
