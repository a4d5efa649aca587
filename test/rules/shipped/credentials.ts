// SPDX-License-Identifier: Apache-2.0
// What the shipped rules on credential access must find, and what they must leave alone.
import type { Cases } from "./cases.ts";
import { act, connect, event, exec, failToRead, readFile, socket, writeFile } from "./scenario.ts";

export const CREDENTIALS: Cases = {
  "Password file read": {
    fires: [
      act({ name: "cat" }, readFile("/etc/shadow")),
      act({ name: "python3", container: true }, readFile("/etc/gshadow")),
      // Put into a container with `docker exec`, or its first process.
      act({ name: "cat", parents: ["containerd-shim"], container: true }, readFile("/etc/shadow")),
      act({ name: "cat", parents: ["conmon"], container: true, vpid: 1 }, readFile("/etc/shadow")),
    ],
    quiet: [
      act({ name: "sshd" }, readFile("/etc/shadow")),
      // Helpers of the runtime itself, and a step of an image's making.
      act({ name: "newuidmap", parents: ["podman"] }, readFile("/etc/shadow")),
      act({ name: "runc:[2:INIT]", parents: ["runc", "containerd-shim"], container: true }, readFile("/etc/shadow")),
      act({ name: "useradd", parents: ["sh", "runc", "buildah"], container: true }, readFile("/etc/shadow")),
      act({ name: "unix_chkpwd" }, readFile("/etc/shadow")),
      act({ name: "cmp", parents: ["passwd", "run-parts", "cron"] }, readFile("/etc/shadow")),
      act({ name: "perl", parents: ["dpkg", "apt-get"] }, readFile("/etc/shadow")),
      act({ name: "tar", parents: ["backup.sh", "sh", "cron"] }, readFile("/etc/shadow")),
      act({ name: "cat", uid: 1000 }, failToRead("/etc/shadow")),
      act({ name: "cat" }, readFile("/etc/passwd")),
    ],
  },
  "Private key read": {
    fires: [
      act({ name: "cat" }, readFile("/home/alice/.ssh/id_rsa")),
      act({ name: "tar" }, readFile("/etc/ssh/ssh_host_ed25519_key")),
    ],
    quiet: [
      act({ name: "ssh", uid: 1000 }, readFile("/home/alice/.ssh/id_rsa")),
      act({ name: "cat" }, readFile("/home/alice/.ssh/id_rsa.pub")),
      act({ name: "sshd" }, readFile("/etc/ssh/ssh_host_ed25519_key")),
    ],
  },
  "Search for keys or passwords": {
    fires: [
      act({}, exec("/usr/bin/grep", "-rl PRIVATE\u00a0KEY /home")),
      act({}, exec("/usr/bin/find", "/home -name id_rsa")),
      act({}, exec("/usr/bin/grep", "-r password /srv")),
    ],
    quiet: [
      act({}, exec("/usr/bin/grep", "passwd /etc/nsswitch.conf")),
      act({}, exec("/usr/bin/find", "/var/log -name *.gz")),
      act({ parents: ["dpkg"] }, exec("/usr/bin/find", "/etc -name *.pem")),
    ],
  },
  "Cloud credentials read": {
    fires: [
      act({ name: "cat" }, readFile("/root/.aws/credentials")),
      act({ name: "cp" }, readFile("/home/alice/.kube/config")),
    ],
    quiet: [
      act({ name: "aws" }, readFile("/root/.aws/credentials")),
      act({ name: "kubectl" }, readFile("/home/alice/.kube/config")),
      act({ name: "curl" }, readFile("/root/.netrc")),
    ],
  },
  "Cluster token read by a shell tool": {
    fires: [act({ name: "cat", container: true }, readFile("/var/run/secrets/kubernetes.io/serviceaccount/token"))],
    quiet: [
      act({ name: "controller", container: true }, readFile("/var/run/secrets/kubernetes.io/serviceaccount/token")),
      act({ name: "cat", container: true }, readFile("/etc/hosts")),
    ],
  },
  "Environment of another process read": {
    fires: [act({ name: "cat" }, readFile("/proc/1/environ"))],
    quiet: [
      act({ name: "systemd-detect-" }, readFile("/proc/1/environ")),
      act({ name: "ps" }, readFile("/proc/55/environ")),
      act({ name: "cat" }, readFile("/proc/self/environ")),
      act({ name: "cat" }, readFile("/proc/1/status")),
    ],
  },
  "Memory of another process read": {
    fires: [
      act({ name: "dumper" }, readFile("/proc/55/mem")),
      act({ name: "dumper" }, event("PROCESS_VM_READV_X", { res: 100, pid: 55, data: "x" })),
    ],
    quiet: [
      act({ name: "gdb" }, readFile("/proc/55/mem")),
      act({ name: "cat" }, readFile("/proc/55/maps")),
      act({ name: "java" }, event("PROCESS_VM_READV_X", { res: 100, pid: 55, data: "x" })),
    ],
  },
  "Packets captured from the network": {
    fires: [act({ name: "python3" }, socket("AF_PACKET"))],
    quiet: [
      act({ name: "dhclient" }, socket("AF_PACKET")),
      act({ name: "systemd-network" }, socket("AF_PACKET")),
      act({ name: "python3" }, socket("AF_INET")),
    ],
  },
  "Keyboard read": {
    fires: [act({ name: "logger2" }, readFile("/dev/input/event3"))],
    quiet: [
      act({ name: "Xorg" }, readFile("/dev/input/event3")),
      act({ name: "systemd-logind" }, readFile("/dev/input/event3")),
    ],
  },
  "Stored passwords of a browser read": {
    fires: [act({ name: "python3", uid: 1000 }, readFile("/home/alice/.mozilla/firefox/a.default/logins.json"))],
    quiet: [
      act({ name: "firefox-esr", uid: 1000 }, readFile("/home/alice/.mozilla/firefox/a.default/logins.json")),
      act({ name: "cat" }, readFile("/home/alice/logins.json")),
    ],
  },
  "Cloud metadata asked for by a tool": {
    fires: [
      act({ name: "curl" }, connect("169.254.169.254", 80)),
      act({ name: "app", container: true }, connect("169.254.169.254", 80)),
    ],
    quiet: [
      act({ name: "cloud-init" }, connect("169.254.169.254", 80)),
      act({ name: "amazon-ssm-agen" }, connect("169.254.169.254", 80)),
      act({ name: "curl" }, connect("203.0.113.9", 80)),
    ],
  },
  "Password guessing tool started": {
    fires: [act({}, exec("/usr/bin/hydra", "-l root ssh://10.0.0.2"))],
    quiet: [act({}, exec("/usr/bin/ssh", "root@10.0.0.2")), act({ name: "vim" }, writeFile("/home/alice/hydra.txt"))],
  },
};
