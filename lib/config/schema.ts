// SPDX-License-Identifier: Apache-2.0
// Every key of falco.yaml: type, default, allowed values, documentation. Checks, the shipped file and the JSON schema
// are made from this table.
import { bool, int, type KeySpec, map, num, records, str, strs, type TypeMap } from "./key.ts";

const SEVERITIES = ["emergency", "alert", "critical", "error", "warning", "notice", "info", "informational", "debug"];

const SYSLOG = "output to syslog";
const HTTP = "output over HTTP";
const WEB = "the web server";
const METRICS = "metrics";
const PLUGINS = "plugins";
const CAPTURES = "recording of captures by rules";
const KMOD = "the kernel module";
const EBPF = "the classic eBPF probe";

/** Largest unsigned 32-bit number. */
const U32 = 4294967295;

export const KEYS = [
  // Files
  records(
    "config_files",
    "Further configuration files: files, directories (their *.yaml and *.yml files in order of name) or patterns. An entry is a path or has a path and a strategy: append (the usual one: lists grow, other keys are replaced), override (keys are replaced) or add-only (only keys not set so far count).",
    {
      record: [
        { key: "path", type: "string", doc: "File, directory or pattern." },
        {
          key: "strategy",
          type: "string",
          values: ["append", "override", "add-only"],
          doc: "How its keys are merged.",
        },
      ],
      short: "path",
      example: "[/etc/falco/config.d]",
    },
  ),
  bool("watch_config_files", true, "Reload when a configuration or rule file changes, in live runs."),
  strs(
    "rules_files",
    [],
    "Rule files, in order; a directory stands for its *.yaml and *.yml files in order of name, and patterns are possible. Rules given with -r take their place. When nothing is named anywhere, the rules inside the program are used.",
    { example: "[/etc/falco/falco_rules.yaml, /etc/falco/falco_rules.local.yaml, /etc/falco/rules.d]" },
  ),
  records("rules", "Switches rules off and on by name or tag, in order; the last entry that fits a rule counts.", {
    record: [
      { key: "disable.rule", type: "string", doc: "Name of rules to switch off; * stands for any text." },
      { key: "disable.tag", type: "string", doc: "Tag of rules to switch off." },
      { key: "enable.rule", type: "string", doc: "Name of rules to switch on; * stands for any text." },
      { key: "enable.tag", type: "string", doc: "Tag of rules to switch on." },
    ],
    example: "[{disable: {tag: network}}, {enable: {rule: Contact*}}]",
  }),

  // Where events come from
  str(
    "engine.kind",
    "auto",
    "Where events come from: a probe in the kernel (auto picks the best one that works here), or with replay a trace file.",
    { values: ["auto", "modern_ebpf", "ebpf", "kmod", "ptrace", "replay", "nodriver"] },
  ),
  int(
    "engine.kmod.buf_size_preset",
    4,
    "Size of each ring of the kernel module: 1 is 1 MiB, each step doubles it, 10 is 512 MiB.",
    { min: 1, max: 10, missing: KMOD },
  ),
  bool("engine.kmod.drop_failed_exit", false, "Leave out system calls that failed, in the kernel.", { missing: KMOD }),
  str("engine.ebpf.probe", "", "Object file of the classic eBPF probe.", { missing: EBPF }),
  int("engine.ebpf.buf_size_preset", 4, "Size of each ring of the classic eBPF probe, as for the kernel module.", {
    min: 1,
    max: 10,
    missing: EBPF,
  }),
  bool("engine.ebpf.drop_failed_exit", false, "Leave out system calls that failed, in the kernel.", { missing: EBPF }),
  int("engine.modern_ebpf.cpus_for_each_buffer", 2, "How many CPUs share one ring; 0 makes one ring for all.", {
    min: 0,
    max: 65535,
  }),
  int(
    "engine.modern_ebpf.buf_size_preset",
    4,
    "Size of each ring of the modern eBPF probe, as for the kernel module.",
    { min: 1, max: 10 },
  ),
  bool("engine.modern_ebpf.drop_failed_exit", false, "Leave out system calls that failed, in the kernel.", {}),
  bool(
    "engine.modern_ebpf.disable_iterators",
    false,
    "Read the processes that run already from /proc instead of asking the kernel's iterators.",
    {},
  ),
  str(
    "engine.replay.capture_file",
    "",
    "Trace file to read when the engine is replay; -e on the command line names it as well.",
  ),
  int("falco_libs.thread_table_size", 262144, "Most threads kept in memory.", {
    min: 1,
    max: 10000000,
  }),
  int(
    "falco_libs.thread_table_auto_purging_interval_s",
    300,
    "Seconds between two searches for threads that ended unseen.",
    { min: 1, max: U32 },
  ),
  int(
    "falco_libs.thread_table_auto_purging_thread_timeout_s",
    300,
    "Seconds without an event after which a thread is looked at in that search.",
    { min: 1, max: U32 },
  ),
  int("falco_libs.snaplen", 80, "Bytes kept of what a system call reads or writes.", {
    min: 0,
    max: 65000,
  }),
  strs(
    "base_syscalls.custom_set",
    [],
    "System calls to watch besides those the rules name, in place of the set that keeps processes and descriptors true; !name leaves one out.",
  ),
  bool(
    "base_syscalls.repair",
    false,
    "Add to the system calls of the rules only the few without which their fields would be wrong.",
  ),
  bool(
    "base_syscalls.all",
    false,
    "Watch also the system calls that are left out for their number and small worth.",
    {},
  ),
  int(
    "syscall_event_timeouts.max_consecutives",
    1000,
    "Tell after so many waits in a row in which no event came; a wait takes about 30 ms.",
    { min: 1, max: U32 },
  ),
  num(
    "syscall_event_drops.threshold",
    0.1,
    "Part of the events of one second, 0 to 1, that may get lost before the actions are taken.",
    { min: 0, max: 1 },
  ),
  strs(
    "syscall_event_drops.actions",
    ["log", "alert"],
    "What to do when events got lost: ignore, log, alert, exit. Ignore goes only alone.",
    { values: ["ignore", "log", "alert", "exit"] },
  ),
  num("syscall_event_drops.rate", 0.03333, "How often per second the actions are taken at most, over a long time.", {
    min: 0,
  }),
  num("syscall_event_drops.max_burst", 1, "How often the actions may be taken in a row.", { min: 1 }),
  bool("syscall_event_drops.simulate_drops", false, "Pretend that events get lost, to try the actions.", {}),

  // Rules
  str("priority", "debug", "Rules of a lesser priority are not loaded.", { values: SEVERITIES }),
  str(
    "rule_matching",
    "first",
    "When several rules fit one event: alert for the first one in file order, or for all.",
    { values: ["first", "all"] },
  ),

  // How alerts look
  bool("json_output", false, "Write each alert as a JSON object on one line instead of text."),
  bool("json_include_output_property", true, "JSON alerts have the whole line of text as output."),
  bool("json_include_message_property", false, "JSON alerts have the text without time and priority as message."),
  bool("json_include_output_fields_property", true, "JSON alerts have the values of the fields as output_fields."),
  bool("json_include_tags_property", true, "JSON alerts have the tags of the rule."),
  bool(
    "time_format_iso_8601",
    false,
    "Write times as ISO 8601 with date, in UTC, instead of the clock time of the local zone.",
  ),
  bool(
    "buffer_format_base64",
    false,
    "Write data that was read or written in base64 instead of replacing what cannot be printed by dots.",
  ),
  records(
    "append_output",
    "What to add to the output of rules: each entry applies to the rules that its match names, or to all.",
    {
      record: [
        { key: "match.source", type: "string", doc: "Only rules of this source." },
        { key: "match.rule", type: "string", doc: "Only the rule of this name." },
        { key: "match.tags", type: "strings", doc: "Only rules that have all of these tags." },
        { key: "extra_output", type: "string", doc: "Text with %fields to put behind the rule's output." },
        {
          key: "extra_fields",
          type: "fields",
          doc: "Fields to add to output_fields: names, or `key: text with %fields`.",
        },
        {
          key: "suggested_output",
          type: "boolean",
          doc: "Put the fields behind the output that are worth knowing for every rule, such as the container.",
        },
      ],
      example:
        '[{match: {source: syscall}, extra_output: "on CPU %evt.cpu", extra_fields: [evt.hostname, {user: "%user.name (%user.uid)"}]}]',
    },
  ),
  map(
    "static_fields",
    "Fields with fixed values: static.NAME in conditions and outputs, and in every alert with suggested_output.",
    { example: "{cluster: west, stage: test}" },
  ),

  // Where alerts go
  bool("stdout_output.enabled", true, "Write alerts to standard output."),
  bool("file_output.enabled", false, "Append alerts to a file."),
  bool("file_output.keep_alive", false, "Keep the file open; SIGUSR1 opens it anew. Otherwise it is opened each time."),
  str("file_output.filename", "./events.txt", "The file."),
  bool("program_output.enabled", false, "Give alerts to a program on its standard input."),
  bool(
    "program_output.keep_alive",
    false,
    "Start the program once and keep it; when it ends it is started again. Otherwise it is started for each alert.",
  ),
  str("program_output.program", "", "Command line for the shell.", {
    example: "\"jq '{text: .output}' | curl -d @- -X POST https://chat.example.com/hook\"",
  }),
  bool("syslog_output.enabled", false, "Send alerts to syslog.", { missing: SYSLOG }),
  bool("http_output.enabled", false, "Send alerts to a web address by POST.", { missing: HTTP }),
  str("http_output.url", "", "The address.", { missing: HTTP }),
  str("http_output.user_agent", "falcosecurity/falco", "Name of the program in the requests.", { missing: HTTP }),
  bool("http_output.insecure", false, "Do not check the server's certificate.", { missing: HTTP }),
  str("http_output.ca_cert", "", "File with a certificate authority to trust.", { missing: HTTP }),
  str("http_output.ca_bundle", "", "File with several of them.", { missing: HTTP }),
  str("http_output.ca_path", "/etc/ssl/certs", "Directory with certificate authorities.", { missing: HTTP }),
  bool("http_output.mtls", false, "Show a certificate of one's own to the server.", { missing: HTTP }),
  str("http_output.client_cert", "/etc/ssl/certs/client.crt", "That certificate.", { missing: HTTP }),
  str("http_output.client_key", "/etc/ssl/certs/client.key", "Its private key.", { missing: HTTP }),
  bool("http_output.echo", false, "Print what the server answers.", { missing: HTTP }),
  bool("http_output.compress_uploads", false, "Compress what is sent.", { missing: HTTP }),
  bool("http_output.keep_alive", false, "Use one connection for several alerts.", { missing: HTTP }),
  int("http_output.max_consecutive_timeouts", 5, "Attempts for one alert when the server does not answer in time.", {
    min: 0,
    max: 255,
    missing: HTTP,
  }),
  bool("buffered_outputs", false, "Gather alerts for up to a second before they are written."),
  int(
    "outputs_queue.capacity",
    0,
    "Alerts kept for each output that is slower than they come; further ones are lost and counted. 0 stands for 32768, which is also the most there can be.",
    { min: 0 },
  ),
  int("output_timeout", 2000, "Milliseconds an output may take for one delivery before it counts as stuck.", {
    min: 1,
    max: U32,
  }),
  num("outputs.rate", 0, "Alerts per second that are let through over a long time; 0 sets no limit.", { min: 0 }),
  int("outputs.max_burst", 1000, "Alerts that may come at once when there is a limit.", { min: 1 }),

  // Messages of the program itself
  bool("log_stderr", true, "Write messages about the program itself to standard error."),
  bool("log_syslog", false, "Send messages about the program itself to syslog.", { missing: "messages to syslog" }),
  str("log_level", "info", "Messages of a lesser priority are not written.", { values: SEVERITIES }),
  bool("libs_logger.enabled", false, "Messages from inside the event libraries.", {
    missing: "a log of the libraries of its own",
  }),
  str("libs_logger.severity", "info", "Messages from there of a lesser priority are not written.", {
    values: ["fatal", "critical", "error", "warning", "notice", "info", "debug", "trace"],
    missing: "a log of the libraries of its own",
  }),

  // Recording
  bool("capture.enabled", false, "Record events to a trace file when a rule asks for it.", { missing: CAPTURES }),
  str("capture.path_prefix", "/tmp/falco", "How the names of the trace files begin.", { missing: CAPTURES }),
  str("capture.mode", "rules", "Record for rules that have `capture: true`, or for all.", {
    values: ["rules", "all_rules"],
    missing: CAPTURES,
  }),
  int("capture.default_duration", 5000, "Milliseconds to record when the rule does not say.", {
    min: 0,
    max: U32,
    missing: CAPTURES,
  }),
  int("capture.max_file_size_mb", 0, "Largest size of a trace file in MB; 0 sets no limit.", {
    min: 0,
    missing: CAPTURES,
  }),

  // Plugins
  strs("load_plugins", [], "Names of the plugins to load.", { missing: PLUGINS }),
  records("plugins", "Plugins that can be loaded.", {
    record: [
      { key: "name", type: "string", doc: "Name." },
      { key: "library_path", type: "string", doc: "Shared library." },
      { key: "init_config", type: "any", doc: "What the plugin gets at its start: text or a map." },
      { key: "open_params", type: "string", doc: "What the plugin gets when its events are opened." },
    ],
    missing: PLUGINS,
    example: "[{name: json, library_path: libjson.so}]",
  }),
  bool("plugins_hostinfo", true, "Let plugins see facts about this machine.", { missing: PLUGINS }),

  // Web server and figures
  bool("webserver.enabled", false, "Answer requests about health, versions and figures.", { missing: WEB }),
  int("webserver.threadiness", 0, "Threads of the web server; 0 lets the program choose.", {
    min: 0,
    max: U32,
    missing: WEB,
  }),
  int("webserver.listen_port", 8765, "Port.", { min: 1, max: 65535, missing: WEB }),
  str("webserver.listen_address", "0.0.0.0", "Address.", { missing: WEB }),
  str("webserver.k8s_healthz_endpoint", "/healthz", "Path of the answer about health.", { missing: WEB }),
  bool("webserver.prometheus_metrics_enabled", false, "Show figures for Prometheus at /metrics.", { missing: WEB }),
  bool("webserver.ssl_enabled", false, "Use TLS.", { missing: WEB }),
  str("webserver.ssl_certificate", "/etc/falco/falco.pem", "File with certificate and key.", { missing: WEB }),
  bool("metrics.enabled", false, "Tell figures about the program at intervals.", { missing: METRICS }),
  str("metrics.interval", "1h", "The interval: numbers with ms, s, m, h, d, w, such as 1h30m.", { missing: METRICS }),
  bool("metrics.output_rule", true, "Tell them as an alert.", { missing: METRICS }),
  str("metrics.output_file", "", "Append them to a file.", { missing: METRICS }),
  bool("metrics.rules_counters_enabled", true, "Count the matches of each rule.", { missing: METRICS }),
  bool("metrics.resource_utilization_enabled", true, "Tell CPU time and memory.", { missing: METRICS }),
  bool("metrics.state_counters_enabled", true, "Tell how many threads and descriptors are known.", {
    missing: METRICS,
  }),
  bool("metrics.kernel_event_counters_enabled", true, "Tell how many events came and got lost.", { missing: METRICS }),
  bool("metrics.kernel_event_counters_per_cpu_enabled", false, "The same for each CPU.", { missing: METRICS }),
  bool("metrics.libbpf_stats_enabled", true, "Tell how often and how long the probe's programs ran.", {
    missing: METRICS,
  }),
  bool("metrics.plugins_metrics_enabled", true, "Tell the figures of plugins.", { missing: METRICS }),
  bool("metrics.kernel_iter_event_counters_enabled", true, "Tell how many events came from the kernel's iterators.", {
    missing: METRICS,
  }),
  bool("metrics.jemalloc_stats_enabled", false, "Tell figures of the memory allocator.", { missing: METRICS }),
  bool("metrics.convert_memory_to_mb", true, "Tell memory in MB instead of bytes.", { missing: METRICS }),
  bool("metrics.include_empty_values", false, "Tell figures that are zero as well.", { missing: METRICS }),
] as const;

/** Name of a key. */
export type Key = (typeof KEYS)[number]["key"];
type TypeOf<K extends Key> = Extract<(typeof KEYS)[number], { key: K }>["type"];
/** The type of a key's value. */
export type ValueOf<K extends Key> = TypeMap[TypeOf<K>];

/** The records by name. */
export const SPECS: ReadonlyMap<string, KeySpec> = new Map(KEYS.map((k): [string, KeySpec] => [k.key, k]));

/** Keys of other versions of Falco that are accepted, without effect, and what there is instead. */
export const RETIRED: ReadonlyMap<string, string> = new Map([
  ["grpc", "nothing: the gRPC server is gone from Falco too"],
  ["grpc_output", "nothing: the gRPC output is gone from Falco too"],
  ["metadata_download", "nothing: metadata comes from plugins"],
  ["modern_bpf", "engine.modern_ebpf"],
  ["syscall_buf_size_preset", "engine.KIND.buf_size_preset"],
  ["syscall_drop_failed_exit", "engine.KIND.drop_failed_exit"],
  ["engine.gvisor", "nothing: the gVisor engine is gone from Falco too"],
]);

/** Older names of keys, which still work. */
export const ALIASES: ReadonlyMap<string, Key> = new Map([
  ["rule_files", "rules_files"],
  ["rules_file", "rules_files"],
]);
