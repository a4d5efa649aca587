// SPDX-License-Identifier: Apache-2.0
// Parameters that the exit events of clone and execve begin with: who the process is.

export const PROCESS_PARAMS = Object.freeze({
  RET: 0,
  EXE: 1,
  ARGS: 2,
  TID: 3,
  PID: 4,
  PTID: 5,
  CWD: 6,
  FDLIMIT: 7,
  PF_MAJOR: 8,
  PF_MINOR: 9,
  VM_SIZE: 10,
  VM_RSS: 11,
  VM_SWAP: 12,
  COMM: 13,
  CGROUPS: 14,
} as const);
