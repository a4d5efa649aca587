// SPDX-License-Identifier: Apache-2.0
// What the shipped rules on privilege escalation must find, and what they must leave alone.
import type { Cases } from "./cases.ts";
import {
  act,
  bpf,
  chmod,
  connectUnix,
  event,
  exec,
  mknod,
  mount,
  ptrace,
  readFile,
  rename,
  unshare,
  writeFile,
} from "./scenario.ts";

const X = ["S_IXUSR", "S_IRUSR", "S_IXGRP", "S_IXOTH"] as const;

export const ESCALATION: Cases = {
  "Set-user-ID bit set": {
    fires: [act({ name: "chmod" }, chmod("/tmp/rootsh", "S_ISUID", ...X))],
    quiet: [
      act({ name: "dpkg", parents: ["apt-get"] }, chmod("/usr/bin/sudo.dpkg-new", "S_ISUID", ...X)),
      act({ name: "exe", parents: ["dockerd"] }, chmod("/bin/su", "S_ISUID", ...X)),
      act({ name: "chmod" }, chmod("/tmp/a", ...X)),
      act({ name: "chmod" }, chmod("/srv/shared", "S_ISGID", ...X)),
    ],
  },
  "Rights of sudo changed": {
    fires: [
      act({ name: "sh" }, writeFile("/etc/sudoers.d/bob")),
      act({ name: "mv" }, rename("/tmp/s", "/etc/sudoers")),
    ],
    quiet: [
      act({ name: "visudo" }, rename("/etc/sudoers.tmp", "/etc/sudoers")),
      act({ name: "sudo" }, readFile("/etc/sudoers")),
    ],
  },
  "Kernel told to run a program": {
    fires: [
      act({ name: "sh" }, writeFile("/proc/sys/kernel/core_pattern")),
      act({ name: "sh", container: true }, writeFile("/mnt/cg/release_agent")),
    ],
    quiet: [
      act({ name: "systemd-sysctl" }, writeFile("/proc/sys/kernel/core_pattern")),
      act({ name: "cat" }, readFile("/proc/sys/kernel/core_pattern")),
    ],
  },
  "Namespaces of the machine entered": {
    fires: [
      act({}, exec("/usr/bin/nsenter", "-t 1 -m -p true")),
      act({ container: true }, exec("/usr/bin/nsenter", "--target 1 --mount")),
    ],
    quiet: [act({}, exec("/usr/bin/nsenter", "-t 812 -n ip a"))],
  },
  "Namespaces changed in a container": {
    fires: [act({ name: "sh", container: true }, unshare("CLONE_NEWNS"))],
    quiet: [
      act({ name: "runc:[1:CHILD]", container: true }, unshare("CLONE_NEWNS")),
      act({ name: "unshare" }, unshare("CLONE_NEWNS")),
    ],
  },
  "User namespace made without privilege": {
    fires: [act({ name: "unshare", uid: 1000 }, unshare("CLONE_NEWUSER"))],
    quiet: [
      act({ name: "bwrap", uid: 1000 }, unshare("CLONE_NEWUSER")),
      act({ name: "unshare" }, unshare("CLONE_NEWUSER")),
      act({ name: "unshare", uid: 1000 }, unshare("CLONE_NEWNET")),
    ],
  },
  "File system mounted in a container": {
    fires: [act({ name: "mount", container: true }, mount("/dev/sda1", "/mnt", "ext4"))],
    quiet: [
      act({ name: "runc:[2:INIT]", container: true }, mount("proc", "/proc", "proc")),
      act({ name: "mount" }, mount("/dev/sda1", "/mnt", "ext4")),
    ],
  },
  "Sensitive directory mounted elsewhere": {
    fires: [act({ name: "mount" }, mount("/etc", "/mnt", "none", "BIND"))],
    quiet: [
      act({ name: "(sshd)" }, mount("/etc", "/run/x", "", "BIND")),
      act({ name: "mount" }, mount("/srv/data", "/mnt", "none", "BIND")),
      act({ name: "mount" }, mount("/dev/sda1", "/mnt", "ext4")),
    ],
  },
  "Runtime socket used in a container": {
    fires: [act({ name: "curl", container: true }, connectUnix("/var/run/docker.sock"))],
    quiet: [
      act({ name: "docker" }, connectUnix("/var/run/docker.sock")),
      act({ name: "app", container: true }, connectUnix("/run/app.sock")),
      // A container with a daemon of its own.
      act({ name: "containerd-shim", container: true }, connectUnix("/run/containerd/containerd.sock.ttrpc")),
    ],
  },
  "Process injected into": {
    fires: [act({ name: "python3" }, ptrace("PTRACE_ATTACH")), act({ name: "inject" }, ptrace("PTRACE_POKETEXT"))],
    quiet: [
      act({ name: "strace" }, ptrace("PTRACE_SEIZE")),
      act({ name: "gdb" }, ptrace("PTRACE_ATTACH")),
      act({ name: "sandbox" }, ptrace("PTRACE_TRACEME")),
    ],
  },
  "Memory of another process written": {
    fires: [
      act({ name: "inject" }, event("PROCESS_VM_WRITEV_X", { res: 16, pid: 55, data: "x" })),
      act({ name: "dd" }, writeFile("/proc/55/mem")),
    ],
    quiet: [
      act({ name: "gdb" }, writeFile("/proc/55/mem")),
      act({ name: "inject" }, event("PROCESS_VM_WRITEV_X", { res: -1, pid: 55, data: "" })),
    ],
  },
  "Known hole in pkexec or sudo tried": {
    fires: [
      act({ uid: 1000 }, exec("/usr/bin/pkexec", "", { env: ["GCONV_PATH=./value"] })),
      act({ uid: 1000 }, exec("/usr/bin/sudoedit", "-s 12345\\")),
    ],
    quiet: [
      act({ uid: 1000 }, exec("/usr/bin/pkexec", "id")),
      act({ uid: 1000 }, exec("/usr/bin/sudoedit", "/etc/hosts")),
      act({ uid: 1000 }, exec("/usr/bin/sudo", "-s")),
    ],
  },
  "Page faults handled without privilege": {
    fires: [act({ name: "poc", uid: 1000 }, event("USERFAULTFD_X", { res: 3, flags: 0 }))],
    quiet: [
      act({ name: "criu" }, event("USERFAULTFD_X", { res: 3, flags: 0 })),
      act({ name: "poc", uid: 1000 }, event("USERFAULTFD_X", { res: -1, flags: 0 })),
    ],
  },
  "Kernel program loaded": {
    fires: [act({ name: "loader" }, bpf("BPF_PROG_LOAD"))],
    quiet: [
      act({ name: "systemd" }, bpf("BPF_PROG_LOAD")),
      act({ name: "runc" }, bpf("BPF_PROG_LOAD")),
      act({ name: "loader" }, bpf("BPF_MAP_CREATE")),
    ],
  },
  "Block device made in an unusual place": {
    fires: [
      act({ name: "mknod", container: true }, mknod("/dev/sda", "S_IFBLK")),
      act({ name: "mknod" }, mknod("/tmp/sda", "S_IFBLK")),
    ],
    quiet: [
      act({ name: "mknod" }, mknod("/dev/loop9", "S_IFBLK")),
      act({ name: "mknod" }, mknod("/tmp/pipe", "S_IFIFO")),
    ],
  },
};
