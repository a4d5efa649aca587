// SPDX-License-Identifier: Apache-2.0
// The runs: what is done in a guest, and what must come of it.
import { join } from "node:path";
import type { Outcome } from "./guest.ts";

/** What must come of a run: its exit status is 0, and of the patterns each matches a line (`not`: none does). */
export interface Run {
  name: string;
  /** In one sentence, what it shows. */
  shows: string;
  script: string;
  says: readonly RegExp[];
  not?: readonly RegExp[];
  /** Parameters of the kernel, when it takes a boot of its own. */
  parameters?: string;
  /** Only for kernels that this is true of. */
  on?: (kernel: string) => boolean;
}

/** Lines in which falco itself failed. */
const CRASH = [/panic|segmentation fault|unhandled|^\s+at .*\(/i];
const NO_ERROR = /^err: falco: (?!\d+ events were lost)/;

export const RUNS: readonly Run[] = [
  {
    name: "alert",
    shows: "falco run sees what its rules are about and says it",
    script: `
      watch_marks
      act 3 /mark/three
      sleep 1
      kill -INT $falco
      wait $falco
      echo "status $?"
      cat out err`,
    says: [
      /^status 0$/,
      /Warning Marked \(file=\/mark\/three name=act\)$/,
      /^ {3}Marked file: \d+$/,
      /event drop detected: 0 /,
    ],
  },
  {
    name: "shipped-rules",
    shows: "falco run with the rules inside the program starts and ends without a complaint",
    script: "fails falco run -M 3",
    says: [/^status 0$/, /\d\d rules, \d+ system calls are watched$/],
    not: [/[Ww]arning:|[Ee]rror:/],
  },
  {
    name: "start-state",
    shows: "iterators give the start-up state where the kernel has them, the same processes and descriptors as /proc",
    script: `
      echo >gone
      sleep 1000 </etc/passwd 4<gone &
      sleeper=$!
      sleep 1
      rm gone
      listing() {
        falco capture -n 1 -w "$1.scap" -- true >/dev/null || echo "writing failed"
        strings "$1.scap" | grep -c -e '^/etc/passwd' -e '/gone (deleted)'
      }
      echo "iterators: $(listing iterators)"
      echo "proc: $(HOST_ROOT=/. listing proc)"
      falco run -o log_level=debug -M 1
      kill $sleeper`,
    says: [/^iterators: 2$/, /^proc: 2$/],
    not: [/failed|from \/proc alone/],
    on: (kernel) => kernel !== "5.10",
  },
  {
    name: "start-state-proc",
    shows: "without iterators /proc gives the start-up state, and that is said when it is asked for",
    script: "fails falco run -o log_level=debug -M 1",
    says: [/^status 0$/, /start-up state from \/proc alone: .*iterators/],
    on: (kernel) => kernel === "5.10",
  },
  {
    name: "command",
    shows: "falco capture follows one command and hands its status on",
    script: `fails falco capture -p '*%proc.name %evt.type %fd.name' -- sh -c 'cat /etc/passwd; exit 7'`,
    says: [/^status 7$/, /^sh execve /, /^cat open(at)? \/etc\/passwd$/, /^sh procexit /],
  },
  {
    name: "write-and-read",
    shows: "what is written is read back line by line",
    script: `
      line='%evt.num %evt.rawtime %evt.cpu %proc.name %thread.tid %evt.type %evt.args'
      falco capture -w x.scap -- sh -c 'ls / | cat' >/dev/null || echo "writing failed"
      falco capture -w - -- sh -c 'ls / | cat >/dev/null' 2>/dev/null | falco capture -r - -q -v 2>&1 | sed 's/ in .*//'
      falco capture -r x.scap -p "*$line" >first || echo "reading failed"
      falco capture -r x.scap -w y.scap || echo "copying failed"
      falco capture -r y.scap -p "*$line" >second
      cmp first second && echo "same: $(wc -l <first)"`,
    says: [/^same: \d{2,}$/, /^\d{2,} events$/],
    not: [/failed/],
  },
  {
    name: "cases",
    shows: "the driver cases: every call gives the event it has to, parameter by parameter",
    script: "FALCO_SHIM=/opt/falco-shim.so FALCO_DRIVER_PROGRAM=/bin/cases bun /opt/cases.js",
    says: [/^cases: 3\d\d, failed 0, skipped \d+, lost 0, refused programs 0$/],
  },
  {
    name: "sigkill",
    shows: "killed at any moment: the file reads to its last whole event and nothing stays in the kernel",
    script: `
      none=$(objects)
      try() {
        rm -f x.scap
        falco capture -w x.scap >/dev/null 2>&1 &
        falco=$!
        [ $1 = start ] || until [ -s x.scap ]; do usleep 20000; done
        (act 20000 /mark/busy; ls -lR /proc/self >/dev/null) 2>/dev/null &
        sleep $2
        kill -KILL $falco
        wait
        [ -s x.scap ] || return
        falco capture -r x.scap -q -v >said 2>&1
        echo "read: status $? $(tr '\n' ' ' <said)"
      }
      for after in 0 0.5 1 2; do try start $after; done
      for after in 0 0.3 0.7 2; do try file $after; done
      [ "$(objects)" = "$none" ] && echo "nothing stays"
      ls /sys/fs/bpf | sed 's/^/pinned: /'`,
    says: [/^read: status [01] /, /^nothing stays$/],
    not: [/^pinned:/, /^read: status (?![01])/, /^read: status 1 (?!.*end of the file)/],
  },
  {
    name: "leaks",
    shows: "after clean ends and starts that fail nothing stays in the kernel",
    script: `
      none=$(objects)
      for i in 1 2 3; do falco capture -q -M 1 2>/dev/null || echo "capture failed"; done
      ! deny 5 22 falco capture -q -M 1 2>/dev/null || echo "no failure"
      ! falco run -M 1 -r /nowhere 2>/dev/null || echo "no failure"
      [ "$(objects)" = "$none" ] && echo "nothing stays"
      ls /sys/fs/bpf | sed 's/^/pinned: /'`,
    says: [/^nothing stays$/],
    not: [/^pinned:/, /fail/],
  },
  {
    name: "stopped-reader",
    shows: "a reader too slow for its rings: what is lost is counted and said, and the capture goes on",
    script: `
      listen
      kill -STOP $falco
      act 200000 /mark/flood
      kill -CONT $falco
      settled
      act 5 /mark/after
      settled
      finish
      shown after
      echo "flood: $(grep -c flood out)"
      lost=$(sed -n 's/^falco: \\([0-9]*\\) events were lost$/\\1/p' err)
      [ "$((lost + $(grep -c flood out)))" -ge 200000 ] && echo "all are accounted for"`,
    says: [
      /^status 0$/,
      /^after: 5$/,
      /^err: falco: \d+ events were lost$/,
      /^flood: \d{3,}$/,
      /^all are accounted for$/,
    ],
  },
  {
    name: "preempted",
    shows:
      "calls of more threads than there are CPUs are all told, also where a program can lose its CPU (since Linux 7)",
    script: `
      listen
      acts=
      for i in 1 2 3 4 5 6 7 8; do
        act 10000 /mark/busy$i &
        acts="$acts $!"
      done
      wait $acts
      settled
      finish
      for i in 1 2 3 4 5 6 7 8; do shown busy$i; done`,
    says: [/^status 0$/, ...[1, 2, 3, 4, 5, 6, 7, 8].map((i) => new RegExp(`^busy${i}: 10000$`))],
    not: [/were lost/],
  },
  {
    name: "preempted-processes",
    shows: "the same of processes that begin, run a program and end",
    script: `
      many() { n=0; while [ $n -lt 40 ]; do n=$((n + 1)); /bin/true; done; }
      falco capture -U -p '*%evt.type %proc.name %thread.tid %evt.arg.name' \\
        'evt.type in (clone, clone3, fork, vfork, execve, procexit) or evt.arg.name contains /mark/' >out 2>err &
      falco=$!
      heard
      all=
      for i in 1 2 3 4 5 6 7 8; do
        many &
        all="$all $!"
      done
      wait $all
      tries=0
      until [ "$(grep -c '^procexit true' out)" -ge 320 ] || [ $tries -ge 30 ]; do tries=$((tries + 1)); sleep 1; done
      finish
      awk '$1 ~ /clone|fork/ { begun[$3] = 1 }
        $1 == "execve" && $2 == "true" { execs++; if (begun[$3]) begins++ }
        $1 == "procexit" && $2 == "true" { exits++ }
        END { print "begun: " begins ", executed: " execs ", ended: " exits }' out`,
    says: [/^status 0$/, /^begun: 320, executed: 320, ended: 320$/],
    not: [/were lost/],
  },
  {
    name: "preempted-unprivileged",
    shows: "without the tracing file system, what a kernel leaves out is counted: no call is lost in silence",
    script: `
      umount /sys/kernel/tracing
      set=-all,+bpf,+perfmon,+sys_resource,+sys_ptrace
      falco() { exec setpriv --inh-caps=$set --bounding-set=$set falco "$@"; }
      listen
      all=
      for i in 1 2 3 4 5 6 7 8; do
        act 10000 /mark/busy &
        all="$all $!"
      done
      wait $all
      settled
      finish
      accounted 80000
      mount -t tracefs tracing /sys/kernel/tracing`,
    says: [/^status 0$/, /^all are accounted for$/],
  },
  {
    name: "preempted-maps",
    shows: "what a kernel leaves out while others change BPF maps is counted: no call is lost in silence",
    script: `
      listen
      all=
      for i in 1 2 3 4 5 6; do
        act 10000 /mark/busy &
        all="$all $!"
      done
      for i in 1 2; do
        maps 20000 &
        all="$all $!"
      done
      wait $all
      settled
      finish
      accounted 60000`,
    says: [/^status 0$/, /^all are accounted for$/],
    not: [/^maps:/],
  },
  {
    name: "stopped-rules",
    shows: "the same with rules: an alert about the drops, and the figures at the end",
    script: `
      falco run -U -o syscall_event_drops.threshold=0 -o 'syscall_event_drops.actions=[log,alert]' >out 2>err &
      falco=$!
      tries=0
      while ! grep -q 'are watched' err && [ $tries -lt 600 ]; do tries=$((tries + 1)); usleep 100000; done
      kill -STOP $falco
      act 200000 /mark/flood
      kill -CONT $falco
      settled
      sleep 2
      kill -INT $falco
      wait $falco
      echo "status $?"
      cat out err`,
    says: [/^status 0$/, /Falco internal: syscall event drop/, /event drop detected: [1-9]/],
  },
  {
    name: "cpu-goes",
    shows: "a CPU that goes away while it is listened to, with falco on it, and comes back, loses nothing",
    script: `
      taskset -p 2 $$ >/dev/null
      listen
      taskset -p 3 $$ >/dev/null
      taskset -c 1 act 50 /mark/before
      echo 0 >/sys/devices/system/cpu/cpu1/online
      act 50 /mark/away
      sleep 2
      act 50 /mark/still
      echo 1 >/sys/devices/system/cpu/cpu1/online
      taskset -c 1 act 50 /mark/back
      settled
      finish
      shown before; shown away; shown still; shown back`,
    says: [/^status 0$/, /^before: 50$/, /^away: 50$/, /^still: 50$/, /^back: 50$/],
    not: [NO_ERROR, /were lost/],
  },
  {
    name: "cpu-comes",
    shows: "a CPU that was not there at the start is heard when it comes",
    script: `
      echo 0 >/sys/devices/system/cpu/cpu1/online
      listen
      echo 1 >/sys/devices/system/cpu/cpu1/online
      taskset -c 1 act 50 /mark/new
      settled
      finish
      shown new`,
    says: [/^status 0$/, /^new: 50$/],
    not: [NO_ERROR, /were lost/],
  },
  {
    name: "full-disk",
    shows: "a full disk ends a capture in one line, and what is written can be read",
    script: `
      mkdir disk && mount -t tmpfs -o size=256k disk disk
      fails falco capture -w disk/x.scap -- act 20000 /mark/fill
      falco capture -r disk/x.scap -q -v >said 2>&1
      echo "read: status $? $(tr '\\n' ' ' <said)"
      umount disk`,
    says: [/^status 1$/, /^falco: disk\/x\.scap: cannot write: no space left on the device$/, /^read: status [01] /],
    not: [/^read: status 1 (?!.*end of the file)/],
  },
  {
    name: "full-disk-run",
    shows: "a full disk under the alerts is said and does not end the run",
    script: `
      mkdir disk && mount -t tmpfs -o size=16k disk disk
      watch_marks -o file_output.enabled=true -o file_output.filename=disk/alerts
      act 3000 /mark/fill
      settled
      kill -INT $falco
      wait $falco
      echo "status $?"
      grep -c fill out
      cat err
      umount disk`,
    says: [/^status 0$/, /^3000$/, /disk\/alerts.*no space left/i],
  },
  {
    name: "no-root",
    shows: "without root it says which capabilities are missing",
    script: `
      cp -r /tmp/no-root /tmp/anyone && chmod 777 /tmp/anyone && cd /tmp/anyone
      fails setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all falco capture
      fails setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all falco run
      rm -rf /tmp/anyone`,
    says: [
      /^status 1$/,
      /^falco: modern eBPF engine: not allowed to use eBPF: CAP_BPF(,| and) CAP_PERFMON .*are missing/,
      /^falco: no engine works here: modern_ebpf: not allowed to use eBPF: CAP_BPF(,| and) CAP_PERFMON .*are missing/,
    ],
    not: [/^status (?!1$)/],
  },
  {
    name: "least-privilege",
    shows: "bpf, perfmon, sys_resource and sys_ptrace are enough",
    script: `
      cp -r /tmp/least-privilege /tmp/anyone && chmod 777 /tmp/anyone && cd /tmp/anyone
      set=-all,+bpf,+perfmon,+sys_resource,+sys_ptrace
      fails setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=$set --ambient-caps=$set --bounding-set=$set \\
        falco capture -q -M 1 -v
      rm -rf /tmp/anyone`,
    says: [/^status 0$/, /^\d+ events in/],
  },
  {
    name: "memlock",
    shows: "a low limit of locked memory that cannot be raised: named where the kernel counts by it",
    script: `
      ulimit -l 64
      set=-all,+bpf,+perfmon,+sys_ptrace
      fails setpriv --inh-caps=$set --bounding-set=$set falco capture -q -M 1 -v`,
    says: [/^status 1$/, /^falco: modern eBPF engine: .*(RLIMIT_MEMLOCK|CAP_SYS_RESOURCE)/],
    on: (kernel) => kernel === "5.10",
  },
  {
    name: "memlock-newer",
    shows: "since 5.11 the limit of locked memory does not matter",
    script: `
      ulimit -l 64
      set=-all,+bpf,+perfmon,+sys_ptrace
      fails setpriv --inh-caps=$set --bounding-set=$set falco capture -q -M 1 -v`,
    says: [/^status 0$/, /^\d+ events in/],
    on: (kernel) => kernel !== "5.10",
  },
  {
    name: "little-memory",
    shows: "rings larger than the memory: one line",
    script: `
      none=$(objects)
      free=$(sed -n 's/^MemAvailable: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)
      dd if=/dev/zero of=/dev/shm/full bs=1M count=$((free / 1024 - 450)) 2>/dev/null
      fails falco run -M 1 -o engine.modern_ebpf.buf_size_preset=10
      rm /dev/shm/full
      [ "$(objects)" = "$none" ] && echo "nothing stays"`,
    says: [
      /^status 1$/,
      /^nothing stays$/,
      /^falco: modern eBPF engine: cannot create ring \d of \d+ bytes: Cannot allocate memory$/,
    ],
  },
  {
    name: "no-btf",
    shows: "a kernel without type information: one line that says what it lacks",
    script: `
      mount -t tmpfs none /sys/kernel/btf
      fails falco capture -M 1
      fails falco run -M 1
      umount /sys/kernel/btf`,
    says: [
      /^status 1$/,
      /^falco: modern eBPF engine: kernel \S+ has no type information at \/sys\/kernel\/btf\/vmlinux /,
      /^falco: no engine works here: modern_ebpf: kernel \S+ has no type information/,
    ],
    not: [/^status (?!1$)/],
  },
  {
    name: "bad-btf",
    shows: "type information that is none: one line",
    script: `
      mount --bind /dev/null /sys/kernel/btf/vmlinux
      fails falco capture -M 1
      umount /sys/kernel/btf/vmlinux`,
    says: [/^status 1$/, /^falco: modern eBPF engine: .*(type information|BTF)/],
    not: [/^status (?!1$)/],
  },
  {
    name: "too-old",
    shows: "a kernel older than its ring buffers, or without eBPF: one line that says what it takes",
    script: `
      fails deny 0 22 falco capture -M 1
      fails deny -1 38 falco capture -M 1
      fails deny 5 22 falco capture -M 1`,
    says: [
      /^status 1$/,
      /^falco: modern eBPF engine: kernel \S+ cannot create a BPF ring buffer \(Invalid argument\); it takes Linux 5\.8 or newer$/,
      /^falco: modern eBPF engine: kernel \S+ has no eBPF$/,
      /^falco: modern eBPF engine: the kernel refused the probe: /,
    ],
    not: [/^status (?!1$)/],
  },
  {
    name: "vanishing",
    shows: "processes, threads and descriptors that go away while /proc is read: no error, no <NA>",
    script: `
      mkfifo line
      churn 4 <line >/dev/null &
      exec 5>line
      storm() { i=0; while [ $i -lt 400 ]; do i=$((i + 1)); /bin/true; done; }
      storm &
      storm &
      for i in 1 2 3; do
        falco capture -p '%proc.name %evt.type' -M 1 >out 2>err
        echo "status $?, events: $(wc -l <out), without a name: $(grep -c '^<NA>' out)"
        cat err
      done
      exec 5>&-
      wait`,
    says: [/^status 0, events: \d{2,}, without a name: 0$/],
    not: [/^falco: (?!\d+ events were lost)/, /^status [1-9]/, /name: [1-9]/],
  },
  {
    name: "lockdown",
    shows: "a kernel locked down against reading it: one line that names the lockdown",
    script: "cat /sys/kernel/security/lockdown\nfails falco capture -M 1\nfails falco run -M 1",
    says: [
      /\[confidentiality\]/,
      /^status 1$/,
      /^falco: modern eBPF engine: .*lockdown/,
      /^falco: no engine works here: .*lockdown/,
    ],
    not: [/^status (?!1$)/],
    parameters: "lockdown=confidentiality",
  },
  {
    name: "lockdown-integrity",
    shows: "a kernel locked down against being changed can be listened to",
    script: "cat /sys/kernel/security/lockdown\nfails falco capture -p '%evt.type' -- true",
    says: [/\[integrity\]/, /^status 0$/, /^execve$/],
    parameters: "lockdown=integrity",
  },
];

/** What is wrong with the outcome of a run; nothing when it is as it must be. */
export function problems(run: Run, outcome: Outcome | undefined): string[] {
  if (outcome === undefined) return ["it was not begun"];
  const out: string[] = [];
  if (outcome.status === null) out.push("it did not end");
  else if (outcome.status === 137) out.push("it was killed: it took too long");
  for (const pattern of run.says) if (!outcome.lines.some((l) => pattern.test(l))) out.push(`no line ${pattern}`);
  for (const pattern of [...(run.not ?? []), ...CRASH]) {
    const line = outcome.lines.find((l) => pattern.test(l));
    if (line !== undefined) out.push(`a line ${pattern}: ${line}`);
  }
  return out;
}

/** C programs of the runs, by name in the guest. */
export function compiledPrograms(root: string, drivers: readonly string[]): Map<string, readonly string[]> {
  const here = import.meta.dir;
  return new Map<string, readonly string[]>([
    ["bin/act", [join(here, "act.c")]],
    ["bin/maps", [join(here, "maps.c")]],
    ["bin/deny", [join(here, "deny.c")]],
    ["bin/churn", [join(root, "test/live/churn.c")]],
    ["bin/bpf_ids", [join(root, "test/live/bpf_ids.c")]],
    ["bin/cases", drivers],
  ]);
}
