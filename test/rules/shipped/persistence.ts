// SPDX-License-Identifier: Apache-2.0
// What the shipped rules on persistence must find, and what they must leave alone.
import type { Cases } from "./cases.ts";
import { act, event, exec, readFile, rename, writeFile } from "./scenario.ts";

/** A package is being installed. */
const INSTALL = { name: "dpkg", parents: ["apt-get", "bash"] } as const;
/** A script of a package. */
const POSTINST = { name: "sh", parents: ["dpkg", "apt-get"] } as const;

export const PERSISTENCE: Cases = {
  "Scheduled job changed": {
    fires: [
      act({ name: "sh" }, writeFile("/etc/cron.d/sys")),
      act({ name: "vim" }, writeFile("/etc/crontab")),
      act({ name: "mv" }, rename("/tmp/x", "/var/spool/cron/crontabs/root")),
    ],
    quiet: [
      act(
        { name: "crontab" },
        writeFile("/var/spool/cron/crontabs/tmp.x"),
        rename("/var/spool/cron/crontabs/tmp.x", "/var/spool/cron/crontabs/alice"),
      ),
      act(INSTALL, writeFile("/etc/cron.daily/foo.dpkg-new")),
      act({ name: "cron" }, readFile("/etc/crontab")),
    ],
  },
  "Service definition changed": {
    fires: [
      act({ name: "sh" }, writeFile("/etc/systemd/system/evil.service")),
      act({ name: "cp" }, writeFile("/home/alice/.config/systemd/user/a.service")),
      act({ name: "mv" }, rename("/tmp/a.service", "/usr/lib/systemd/system/a.service")),
    ],
    quiet: [
      act({ name: "systemctl" }, writeFile("/etc/systemd/system/foo.service.d/override.conf")),
      act(INSTALL, writeFile("/usr/lib/systemd/system/foo.service.dpkg-new")),
      act({ name: "systemd" }, readFile("/etc/systemd/system/a.service")),
    ],
  },
  "Boot script changed": {
    fires: [
      act({ name: "sh" }, writeFile("/etc/rc.local")),
      act({ name: "cp" }, writeFile("/etc/udev/rules.d/99-x.rules")),
    ],
    quiet: [
      act(POSTINST, writeFile("/etc/init.d/foo")),
      act({ name: "systemd-udevd" }, readFile("/etc/udev/rules.d/99-x.rules")),
    ],
  },
  "Shell profile changed": {
    fires: [
      act({ name: "sh" }, writeFile("/root/.bashrc")),
      act({ name: "sh" }, writeFile("/etc/profile.d/x.sh")),
      act({ name: "sed" }, rename("/etc/sedAbc", "/etc/profile")),
    ],
    quiet: [
      act({ name: "useradd" }, writeFile("/home/bob/.bashrc")),
      act({ name: "cp", parents: ["adduser"] }, writeFile("/home/bob/.profile")),
      act({ name: "bash" }, readFile("/root/.bashrc")),
      act(INSTALL, writeFile("/etc/profile.d/a.sh")),
    ],
  },
  "Login keys changed": {
    fires: [
      act({ name: "sh" }, writeFile("/root/.ssh/authorized_keys")),
      act({ name: "mv" }, rename("/tmp/k", "/home/alice/.ssh/authorized_keys")),
      act({ name: "sh", parents: ["containerd-shim"], container: true }, writeFile("/root/.ssh/authorized_keys")),
    ],
    quiet: [
      act({ name: "sshd" }, readFile("/root/.ssh/authorized_keys")),
      act({ name: "cloud-init" }, writeFile("/root/.ssh/authorized_keys")),
    ],
  },
  "SSH server configuration changed": {
    fires: [
      act({ name: "sed" }, writeFile("/etc/ssh/sshd_config")),
      act({ name: "cp" }, writeFile("/etc/ssh/ssh_host_rsa_key")),
    ],
    quiet: [
      act({ name: "ssh-keygen" }, writeFile("/etc/ssh/ssh_host_rsa_key")),
      act({ name: "sshd" }, readFile("/etc/ssh/sshd_config")),
      act(POSTINST, writeFile("/etc/ssh/sshd_config")),
    ],
  },
  "Preloaded library configured": {
    fires: [
      act({ name: "sh" }, writeFile("/etc/ld.so.preload")),
      act({ name: "mv" }, rename("/tmp/p", "/etc/ld.so.preload")),
    ],
    quiet: [
      act({ name: "ls" }, readFile("/etc/ld.so.preload")),
      act({ name: "ldconfig" }, writeFile("/etc/ld.so.cache~")),
    ],
  },
  "Program started with a library from a writable place": {
    fires: [act({}, exec("/usr/bin/true", "", { env: ["PATH=/bin", "LD_PRELOAD=/tmp/evil.so"] }))],
    quiet: [
      act({}, exec("/usr/bin/true", "", { env: ["LD_PRELOAD=libfakeroot-sysv.so"] })),
      act({ parents: ["make"] }, exec("/usr/bin/true", "", { env: ["LD_PRELOAD=/tmp/wrap.so"] })),
      act({}, exec("/usr/bin/true")),
    ],
  },
  "Account files changed by hand": {
    fires: [act({ name: "sh" }, writeFile("/etc/passwd")), act({ name: "sed" }, rename("/etc/sedX", "/etc/passwd"))],
    quiet: [
      act({ name: "useradd" }, writeFile("/etc/passwd+"), rename("/etc/passwd+", "/etc/passwd")),
      act({ name: "passwd" }, rename("/etc/nshadow", "/etc/shadow")),
      act({ name: "systemd-sysuser" }, rename("/etc/.#passwd1", "/etc/passwd")),
      act({ name: "bash" }, readFile("/etc/passwd")),
    ],
  },
  "Second administrator account made": {
    fires: [act({}, exec("/usr/sbin/useradd", "-o -u 0 -M toor")), act({}, exec("/usr/sbin/usermod", "-ou 0 bob"))],
    quiet: [act({}, exec("/usr/sbin/useradd", "-u 1001 -m bob")), act({}, exec("/usr/sbin/useradd", "-m mallory"))],
  },
  "Authentication modules changed": {
    fires: [
      act({ name: "sh" }, writeFile("/etc/pam.d/sshd")),
      act({ name: "cp" }, writeFile("/usr/lib/x86_64-linux-gnu/security/pam_unix.so")),
    ],
    quiet: [
      act({ name: "pam-auth-update", parents: ["dpkg"] }, writeFile("/etc/pam.d/common-auth")),
      act({ name: "sshd" }, readFile("/etc/pam.d/sshd")),
    ],
  },
  "Script written by a web server": {
    fires: [act({ name: "php-fpm8.2", uid: 33 }, writeFile("/var/www/html/uploads/shell.php"))],
    quiet: [
      act({ name: "php-fpm8.2", uid: 33 }, writeFile("/var/www/html/var/cache/a.php")),
      act({ name: "nginx", uid: 33 }, writeFile("/var/log/nginx/access.log")),
      act({ name: "vim" }, writeFile("/var/www/html/index.php")),
    ],
  },
  "Desktop autostart changed": {
    fires: [act({ name: "sh", uid: 1000 }, writeFile("/home/alice/.config/autostart/x.desktop"))],
    quiet: [
      act({ name: "gnome-tweaks", uid: 1000 }, writeFile("/home/alice/.config/autostart/x.desktop")),
      act(INSTALL, writeFile("/etc/xdg/autostart/x.desktop")),
    ],
  },
  "Kernel module loaded by an unusual program": {
    fires: [
      act({ name: "insmod" }, event("FINIT_MODULE_X", { res: 0, fd: 3, uargs: "", flags: 0 })),
      act({ name: "python3" }, event("INIT_MODULE_X", { res: 0, img: "x", length: 1, uargs: "" })),
    ],
    quiet: [
      act({ name: "modprobe" }, event("FINIT_MODULE_X", { res: 0, fd: 3, uargs: "", flags: 0 })),
      act({ name: "(udev-worker)" }, event("FINIT_MODULE_X", { res: 0, fd: 3, uargs: "", flags: 0 })),
    ],
  },
  "Kernel module from an unusual place": {
    fires: [
      act(
        { name: "insmod" },
        readFile("/tmp/evil.ko"),
        event("FINIT_MODULE_X", { res: -8, fd: 5, uargs: "", flags: 0 }),
      ),
    ],
    quiet: [
      act(
        { name: "modprobe" },
        readFile("/usr/lib/modules/6.1.0/kernel/fs/fuse/fuse.ko"),
        event("FINIT_MODULE_X", { res: 0, fd: 5, uargs: "", flags: 0 }),
      ),
    ],
  },
};
