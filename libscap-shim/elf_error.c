// SPDX-License-Identifier: Apache-2.0
/*
 * The error state of libelf. Debian's static libelf keeps it in thread-local storage that only an executable can use;
 * these three functions stand in, so that the archive links into a shared object.
 */
static _Thread_local int last_error;

void __libelf_seterrno(int value);
int elf_errno(void);
const char *elf_errmsg(int error);

void __libelf_seterrno(int value)
{
	last_error = value;
}

int elf_errno(void)
{
	int value = last_error;

	last_error = 0;
	return value;
}

const char *elf_errmsg(int error)
{
	return error == 0 ? "no error" : "the ELF object cannot be read";
}
