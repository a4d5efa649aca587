// SPDX-License-Identifier: Apache-2.0
// What the shipped rules on defence evasion must find, and what they must leave alone.
import type { Cases } from "./cases.ts";
import {
  act,
  chmod,
  emptyFile,
  exec,
  makeDirectory,
  mount,
  readFile,
  remove,
  rename,
  setName,
  symlink,
  writeFile,
} from "./scenario.ts";

export const EVASION: Cases = {
  "Login records or logs removed": {
    fires: [
      act({ name: "rm" }, remove("/var/log/lastlog")),
      act({ name: "sh" }, emptyFile("/var/log/wtmp")),
      act({ name: "mv" }, rename("/var/log/auth.log", "/tmp/a")),
    ],
    quiet: [
      act({ name: "logrotate" }, rename("/var/log/auth.log", "/var/log/auth.log.1")),
      act({ name: "rsyslogd" }, writeFile("/var/log/syslog")),
      act({ name: "rm" }, remove("/var/log/app.log")),
    ],
  },
  "Command history removed": {
    fires: [
      act({ name: "rm" }, remove("/root/.bash_history")),
      act({ name: "sh" }, emptyFile("/home/alice/.bash_history")),
      act({ name: "ln" }, symlink("/dev/null", "/root/.bash_history")),
      act({}, exec("/usr/bin/truncate", "-s 0 /root/.bash_history")),
    ],
    quiet: [
      act({ name: "bash" }, emptyFile("/root/.bash_history")),
      act({ name: "bash" }, writeFile("/root/.bash_history")),
      act({ name: "userdel" }, remove("/home/bob/.bash_history")),
      act({}, exec("/usr/bin/truncate", "-s 0 /tmp/a")),
    ],
  },
  "Program deletes itself": {
    fires: [act({ name: "x", path: "/opt/x" }, remove("/opt/x"))],
    quiet: [
      act({ name: "x", path: "/opt/x" }, remove("/opt/y")),
      act({ name: "a.test", path: "/tmp/go-build1/a.test" }, remove("/tmp/go-build1/a.test")),
    ],
  },
  "Times of files copied from system programs": {
    fires: [act({}, exec("/usr/bin/touch", "-r /bin/ls /var/tmp/.x"))],
    quiet: [
      act({}, exec("/usr/bin/touch", "-r a.c a.o")),
      act({ parents: ["make"] }, exec("/usr/bin/touch", "-r /usr/bin/gcc stamp")),
      act({}, exec("/usr/bin/touch", "/tmp/a")),
    ],
  },
  "Hidden directory made in a temporary directory": {
    fires: [
      act({ name: "mkdir" }, makeDirectory("/var/tmp/.x")),
      act({ name: "mkdir" }, makeDirectory("/tmp/.hidden")),
    ],
    quiet: [
      act({ name: "systemd-tmpfile" }, makeDirectory("/tmp/.X11-unix")),
      act({ name: "Xorg" }, makeDirectory("/tmp/.X11-unix")),
      act({ name: "mkdir" }, makeDirectory("/tmp/build")),
      act({ name: "mkdir" }, makeDirectory("/home/alice/.config")),
    ],
  },
  "Process disguised as a kernel thread": {
    fires: [
      act({}, exec("/usr/bin/sleep", "1", { argv0: "[kworker/u2:1]" })),
      act({ name: "x" }, setName("kworker/0:1")),
    ],
    quiet: [
      act({}, exec("/usr/bin/[", "-f a ]", { argv0: "[" })),
      act({ name: "x" }, setName("worker-1")),
      act({}, exec("/usr/bin/sleep", "1")),
    ],
  },
  "Process hidden by a mount": {
    fires: [act({ name: "mount" }, mount("/var/tmp", "/proc/812", "none", "BIND"))],
    quiet: [
      act({ name: "runc" }, mount("tmpfs", "/proc/acpi", "tmpfs")),
      act({ name: "mount" }, mount("proc", "/proc", "proc")),
    ],
  },
  "System program changed": {
    fires: [
      act({ name: "cp" }, writeFile("/usr/bin/lab-tool")),
      act({ name: "mv" }, rename("/usr/bin/ls", "/usr/bin/ls.bak")),
      act({ name: "rm" }, remove("/usr/sbin/auditd")),
    ],
    quiet: [
      act({ name: "dpkg", parents: ["apt-get"] }, rename("/usr/bin/ls.dpkg-new", "/usr/bin/ls")),
      act({ name: "install", parents: ["make"] }, writeFile("/usr/bin/tool")),
      act({ name: "cp" }, writeFile("/usr/local/bin/tool")),
      act({ name: "bash" }, readFile("/usr/bin/ldd")),
    ],
  },
  "File made executable in shared memory": {
    fires: [act({ name: "chmod" }, chmod("/dev/shm/x", "S_IXUSR", "S_IRUSR"))],
    quiet: [act({ name: "chmod" }, chmod("/dev/shm/x", "S_IRUSR")), act({ name: "chmod" }, chmod("/opt/x", "S_IXUSR"))],
  },
  "Security service stopped": {
    fires: [
      act({}, exec("/usr/bin/systemctl", "stop auditd")),
      act({}, exec("/usr/sbin/setenforce", "0")),
      act({}, exec("/usr/bin/pkill", "-9 falco")),
      act({}, exec("/usr/sbin/iptables", "-F")),
      act({}, exec("/usr/sbin/nft", "flush ruleset")),
    ],
    quiet: [
      act({}, exec("/usr/bin/systemctl", "status auditd")),
      act({}, exec("/usr/bin/systemctl", "stop nginx")),
      act({ parents: ["sh", "dpkg", "apt-get"] }, exec("/usr/bin/systemctl", "stop rsyslog")),
      act({}, exec("/usr/sbin/iptables", "-A INPUT -j ACCEPT")),
    ],
  },
  "Kernel protection lowered": {
    fires: [act({ name: "sh" }, writeFile("/proc/sys/kernel/randomize_va_space"))],
    quiet: [
      act({ name: "systemd-sysctl" }, writeFile("/proc/sys/kernel/kptr_restrict")),
      act({ name: "cat" }, readFile("/proc/sys/kernel/randomize_va_space")),
    ],
  },
  "File made unchangeable": {
    fires: [act({}, exec("/usr/bin/chattr", "+i /usr/bin/x"))],
    quiet: [
      act({}, exec("/usr/bin/chattr", "+i /etc/resolv.conf")),
      act({}, exec("/usr/bin/chattr", "+C /var/lib/db")),
    ],
  },
};
