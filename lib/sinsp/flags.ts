// SPDX-License-Identifier: Apache-2.0
// Bits of the schema's flag tables that the state depends on.

/** PPM_CL_* bits (lib/schema flag table clone_flags). */
export const CL = Object.freeze({
  FILES: 1,
  FS: 2,
  NEWPID: 0x40,
  PARENT: 0x100,
  THREAD: 0x2000,
  /** The entry was made from the child's own clone event. */
  INVERTED: 0x10000,
  NAME_CHANGED: 0x20000,
  NEWUSER: 0x100000,
  PIPE_SRC: 0x200000,
  PIPE_DST: 0x400000,
  VFORK: 0x8000000,
  CHILD_IN_PIDNS: 0x20000000,
} as const);

/** PPM_O_* bits (lib/schema flag table file_flags). */
export const O = Object.freeze({
  NONBLOCK: 0x40,
  DIRECTORY: 0x400,
  CLOEXEC: 0x1000,
  TMPFILE: 0x2000,
  F_CREATED: 0x4000,
  UPPER_LAYER: 0x8000,
  LOWER_LAYER: 0x10000,
} as const);

/** Address families of socket parameters (Linux AF_*). */
export const AF = Object.freeze({ UNIX: 1, INET: 2, INET6: 10, NETLINK: 16 } as const);
