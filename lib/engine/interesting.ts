// SPDX-License-Identifier: Apache-2.0
// Which system calls a live run switches on: those of the rules and those without which their fields would be wrong.
import { SYSCALL_NAMES, SYSCALL_SETS } from "../schema/tables/syscalls.ts";

/** Keys below base_syscalls. */
export interface BaseSyscalls {
  customSet: readonly string[];
  repair: boolean;
  all: boolean;
}

export interface Selected {
  /** Codes (SC) of the system calls. */
  codes: number[];
  /** What the user should know, one sentence each. */
  remarks: string[];
}

const STATE = new Set(SYSCALL_SETS["state"]);
const IGNORED = new Set(SYSCALL_SETS["falco_ignored"]);

/** Births, ends and identities of processes: every field of a process needs them. */
const PROCESSES =
  "clone clone3 fork vfork execve execveat setpgid setsid setuid setgid setreuid setregid setresuid setresgid capset chdir fchdir chroot prctl prlimit64 unshare setns".split(
    " ",
  );
/** Where descriptors come from and go. */
const DESCRIPTORS =
  "open openat openat2 creat open_by_handle_at close close_range dup dup2 dup3 fcntl pipe pipe2 memfd_create pidfd_open pidfd_getfd".split(
    " ",
  );
const SOCKETS = "socket socketpair bind connect accept accept4 listen getsockopt shutdown recvmsg recvmmsg".split(" ");
/** Calls whose descriptor may be a socket. */
const ON_SOCKETS =
  /^(send|recv|socket|bind$|connect$|accept|listen$|getsockopt$|setsockopt$|getpeername$|getsockname$|shutdown$)/;
/** Calls that work on descriptors of any kind. */
const ON_DESCRIPTORS =
  /^(p?readv?2?|pread64|p?writev?2?|pwrite64|f[a-z]+|close|dup|ioctl|sendfile|splice|tee|mmap|epoll|poll|ppoll|select)/;

/** The calls that keep the fields of these calls' events true. */
function repairSet(names: ReadonlySet<string>): string[] {
  const list = [...names];
  const sockets = list.some((n) => ON_SOCKETS.test(n));
  const descriptors = sockets || list.some((n) => ON_DESCRIPTORS.test(n));
  return [...PROCESSES, ...(descriptors ? DESCRIPTORS : []), ...(sockets ? SOCKETS : [])];
}

function listed(names: readonly string[]): string {
  const some = names.slice(0, 8).join(", ");
  return names.length > 8 ? `${some} and ${names.length - 8} more` : some;
}

/** `wanted`: mask by code of the calls that rules name. */
export function selectSyscalls(wanted: Uint8Array, base: BaseSyscalls): Selected {
  const remarks: string[] = [];
  const known = new Set(SYSCALL_NAMES);
  const unknown = base.customSet.map((n) => n.replace(/^!/, "")).filter((n) => !known.has(n));
  if (unknown.length > 0) remarks.push(`base_syscalls.custom_set: no system call is called ${listed(unknown)}`);
  const positive = base.customSet.filter((n) => !n.startsWith("!") && known.has(n));
  const negative = new Set(base.customSet.filter((n) => n.startsWith("!")).map((n) => n.slice(1)));

  const rules = SYSCALL_NAMES.filter((_, code) => wanted[code] === 1);
  const names = new Set([...rules, ...positive]);
  const support = base.repair ? repairSet(names) : positive.length > 0 ? [] : STATE;
  for (const name of support) names.add(name);

  const missing = [...STATE].filter((n) => !names.has(n) || negative.has(n));
  if (!base.repair && (positive.length > 0 || negative.size > 0) && missing.length > 0) {
    remarks.push(
      `base_syscalls.custom_set leaves out calls that keep processes and descriptors true: ${listed(missing)}`,
    );
  }
  for (const name of negative) names.delete(name);
  if (!base.all) {
    // A rule without event types asks for everything; only a deliberate wish for such a call is worth a word.
    const everything = rules.length > SYSCALL_NAMES.length / 2;
    const left = rules.filter((n) => IGNORED.has(n) && names.has(n));
    if (left.length > 0 && !everything) {
      remarks.push(
        `rules ask for ${listed(left)}, which are not watched for their number; -o base_syscalls.all=true adds them`,
      );
    }
    for (const name of IGNORED) names.delete(name);
  }
  return { codes: SYSCALL_NAMES.flatMap((name, code) => (names.has(name) ? [code] : [])), remarks };
}
