// SPDX-License-Identifier: Apache-2.0
// falco.yaml: values, mistakes and where they are told, settings, variables, includes.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: such placeholders are what is tested
import { describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Config, ConfigError, type ConfigSources, loadConfig } from "../../lib/config/config.ts";
import { configSchema, shippedConfig } from "../../lib/config/render.ts";
import { KEYS } from "../../lib/config/schema.ts";
import { ROOT, sharedPath, sharedTest } from "../support/shared.ts";

/** Loads a configuration from files given by text; `main.yaml` is the first. Mistakes name files without directory. */
function load(files: Record<string, string>, options: string[] = [], env: ConfigSources["env"] = {}): Config {
  const dir = mkdtempSync(join(tmpdir(), "falco-config-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(dir, name)), { recursive: true });
      writeFileSync(join(dir, name), text.replaceAll("DIR", dir));
    }
    const main = "main.yaml" in files ? { file: join(dir, "main.yaml") } : {};
    const config = loadConfig({ ...main, options, env });
    const strip = (s: string): string => s.replaceAll(`${dir}/`, "");
    const warnings = config.warnings.map((w) => ({ place: strip(w.place), text: strip(w.text) }));
    return Object.assign(config, { warnings, files: config.files.map(strip) });
  } catch (error) {
    if (error instanceof ConfigError) error.message = error.message.replaceAll(`${dir}/`, "");
    throw error;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** The mistakes as lines. */
function mistakes(files: Record<string, string>, options: string[] = []): string[] {
  try {
    load(files, options);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split("\n");
    throw error;
  }
  return [];
}

const yaml = (text: string): Config => load({ "main.yaml": text });
const wrong = (text: string): string[] => mistakes({ "main.yaml": text });

describe("values", () => {
  test("have defaults", () => {
    const config = load({});
    expect(config.get("rule_matching")).toBe("first");
    expect(config.get("output_timeout")).toBe(2000);
    expect(config.get("append_output")).toEqual([]);
    expect(config.given("output_timeout")).toBe(false);
  });

  test("of every type are read", () => {
    const config = yaml(`
json_output: yes
priority: Info
output_timeout: 0x10
syscall_event_drops: {threshold: .5, actions: [log, EXIT]}
rules_files: one.yaml
static_fields: {a: 1, b: "two"}
append_output:
  - match: {source: syscall, tags: [x, y]}
    extra_output: "cpu=%evt.cpu"
    extra_fields: [evt.num, {who: "%user.name"}]
    suggested_output: off
rules:
  - disable: {tag: net}
  - enable: {rule: "C*"}
`);
    expect(config.get("json_output")).toBe(true);
    expect(config.get("priority")).toBe("info");
    expect(config.get("output_timeout")).toBe(16);
    expect(config.get("syscall_event_drops.threshold")).toBe(0.5);
    expect(config.get("syscall_event_drops.actions")).toEqual(["log", "exit"]);
    expect(config.get("rules_files")).toEqual(["one.yaml"]);
    expect(config.get("static_fields")).toEqual(new Map(Object.entries({ a: "1", b: "two" })));
    expect(Object.fromEntries(config.get("append_output")[0] ?? [])).toEqual({
      "match.source": "syscall",
      "match.tags": ["x", "y"],
      extra_output: "cpu=%evt.cpu",
      extra_fields: [
        ["evt.num", null],
        ["who", "%user.name"],
      ],
      suggested_output: false,
    });
    expect(config.get("rules").map((r) => [...r])).toEqual([[["disable.tag", "net"]], [["enable.rule", "C*"]]]);
    expect(config.place("json_output")).toBe(config.place("json_output").replace(/main.yaml.*/, "main.yaml:2:1"));
  });

  test("left empty are as good as not given", () => {
    expect(yaml("json_output:\nengine:\nrules_files: ~\n").get("rules_files")).toEqual([]);
  });

  test("take variables of the environment, also in lists, and an escape", () => {
    const text = "rules_files: ['${A}/x', '$${A}', '${NONE}y']\nstatic_fields: {a: '${ A }'}\n";
    const config = load({ "main.yaml": text }, ["engine.replay.capture_file=${A}.scap"], { A: "dir" });
    expect(config.get("rules_files")).toEqual(["dir/x", "${A}", "y"]);
    expect(config.get("static_fields").get("a")).toBe("dir");
    expect(config.get("engine.replay.capture_file")).toBe("dir.scap");
  });
});

describe("mistakes", () => {
  test("name file, line, column and the nearest key", () => {
    expect(wrong("json_ouput: true\n")).toEqual([
      "main.yaml:1:1: unknown key 'json_ouput'; did you mean 'json_output'?",
    ]);
    expect(wrong("engine:\n  kidn: kmod\n")).toEqual([
      "main.yaml:2:3: unknown key 'engine.kidn'; did you mean 'engine.kind'?",
    ]);
    expect(wrong("snaplen: 80\n")).toEqual([
      "main.yaml:1:1: unknown key 'snaplen'; did you mean 'falco_libs.snaplen'?",
    ]);
    expect(wrong("engine.kind: kmod\n")).toEqual([
      "main.yaml:1:1: unknown key 'engine.kind'; write its parts as keys below each other",
    ]);
  });

  test("tell what was found and what is wanted", () => {
    expect(wrong("json_output: maybe")).toEqual(["main.yaml:1:14: json_output: wants true or false, not 'maybe'"]);
    expect(wrong("output_timeout: -1")).toEqual([
      "main.yaml:1:17: output_timeout: wants a whole number from 1 to 4294967295, not '-1'",
    ]);
    expect(wrong("output_timeout: [1]")[0]).toEndWith("wants a whole number, not a list");
    expect(wrong("outputs_queue: {capacity: 1.5}")[0]).toEndWith(
      "outputs_queue.capacity: wants a whole number, not '1.5'",
    );
    expect(wrong("rule_matching: al")).toEqual([
      "main.yaml:1:16: rule_matching: wants one of first, all (all?), not 'al'",
    ]);
    expect(wrong("rules_files: {a: b}")[0]).toEndWith("rules_files: wants a list, not a map");
    expect(wrong("static_fields: [a]")[0]).toEndWith("static_fields: wants a map, not a list");
    expect(wrong("engine: kmod")[0]).toContain("engine: wants keys (kind, kmod, ");
    expect(wrong("append_output: [{extra_ouput: x}]")).toEqual([
      "main.yaml:1:18: unknown key 'extra_ouput' in append_output[0]; did you mean 'extra_output'?",
    ]);
    expect(wrong("append_output: [{match: {tag: x}}]")[0]).toContain("unknown key 'match.tag' in append_output[0]");
    expect(wrong("append_output: [{match: 3}]")[0]).toContain("wants keys below match");
    expect(wrong("append_output: [x]")[0]).toEndWith("append_output: wants a map in each entry, not 'x'");
    expect(wrong("append_output: [{suggested_output: 3}]")[0]).toContain(
      "append_output[0].suggested_output: wants true or false",
    );
  });

  test("between keys are found", () => {
    expect(wrong("program_output: {enabled: true}")[0]).toContain("program_output.program is empty");
    expect(wrong("file_output: {enabled: true, filename: ''}")[0]).toContain("file_output.filename is empty");
    expect(wrong("syscall_event_drops: {actions: [ignore, log]}")[0]).toContain("ignore goes only alone");
    expect(wrong("rules: [{enable: {tag: a}, disable: {tag: b}}, {}]")).toHaveLength(2);
  });

  test("of all files and settings come at once", () => {
    const files = { "main.yaml": "config_files: [DIR/a.yaml]\nfoo: 1\njson_output: 3\n", "a.yaml": "priority: high\n" };
    const found = mistakes(files, ["rule_matching=best", "nokey"]);
    expect(found).toEqual([
      "-o nokey: KEY=VALUE is wanted",
      "main.yaml:2:1: unknown key 'foo'",
      "main.yaml:3:14: json_output: wants true or false, not '3'",
      expect.stringMatching(/^a.yaml:1:11: priority: wants one of .*, not 'high'$/),
      "-o rule_matching=best: rule_matching: wants one of first, all, not 'best'",
    ]);
  });

  test("of YAML itself have a place", () => {
    expect(wrong("a: [1\nb: 2")[0]).toMatch(/^main\.yaml:\d+:\d+: /);
    expect(wrong("- a\n")[0]).toBe("main.yaml:1:1: keys with values are wanted at the top");
    expect(wrong("json_output: true\n---\njson_output: false\n")[0]).toContain("a second document");
    expect(wrong("[a, b]: c\n")[0]).toContain("a key must be a word");
  });

  test("in files that cannot be read are told", () => {
    expect(() => loadConfig({ file: "/nonexistent/falco.yaml", env: {} })).toThrow(
      "/nonexistent/falco.yaml: no such file or directory",
    );
    expect(() => loadConfig({ file: "/", env: {} })).toThrow("/: is a directory");
  });

  test("aliases cannot make a small file huge", () => {
    let text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (let i = 1; i < 9; i++)
      text += `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(", ")}]\n`;
    expect(wrong(text)[0]).toContain("too many values");
  });
});

describe("warnings", () => {
  test("tell once per thing that is not there yet, and only when it is asked for", () => {
    const text =
      "http_output: {enabled: true, url: http://x, insecure: true}\nwebserver: {enabled: false, listen_port: 80}\nlog_syslog: false\n";
    expect(yaml(text).warnings).toEqual([
      {
        place: "main.yaml:1:15",
        text: "http_output.enabled, http_output.url, http_output.insecure: no effect, output over HTTP is not there yet",
      },
    ]);
  });

  test("tell of keys that stand twice, the first one counts", () => {
    const config = yaml("json_output: true\njson_output: false\n");
    expect(config.get("json_output")).toBe(true);
    expect(config.warnings).toEqual([
      { place: "main.yaml:2:1", text: "key 'json_output' stands here twice; the first one counts" },
    ]);
  });

  test("tell what older keys are now", () => {
    const config = yaml("rules_file: [a.yaml]\ngrpc: {enabled: true}\n");
    expect(config.get("rules_files")).toEqual(["a.yaml"]);
    expect(config.warnings.map((w) => w.text)).toEqual([
      "key 'rules_file' is now called 'rules_files'",
      "key 'grpc' has no effect; instead of it there is nothing: the gRPC server is gone from Falco too",
    ]);
  });
});

describe("settings of the command line", () => {
  const set = (...options: string[]): Config =>
    load({ "main.yaml": "rules_files: [a, b]\nengine: {kind: kmod}\n" }, options);

  test("set keys, entries and new entries", () => {
    expect(set("engine.kind=replay").get("engine.kind")).toBe("replay");
    expect(set("rules_files[1]=c").get("rules_files")).toEqual(["a", "c"]);
    expect(set("rules_files[2]=c", "rules_files[]=d").get("rules_files")).toEqual(["a", "b", "c", "d"]);
    expect(set("rules_files=x=y").get("rules_files")).toEqual(["x=y"]);
    expect(set("append_output[].extra_output=hello").get("append_output")[0]?.get("extra_output")).toBe("hello");
    expect(
      set("append_output[0].match.tags[]=a", "append_output[0].match.tags[]=b")
        .get("append_output")[0]
        ?.get("match.tags"),
    ).toEqual(["a", "b"]);
  });

  test("take maps and lists in flow form", () => {
    expect(set("rules_files=[x, y]").get("rules_files")).toEqual(["x", "y"]);
    expect(
      set('append_output[]={"match": {"rule": "R"}, "extra_fields": ["evt.num"]}')
        .get("append_output")[0]
        ?.get("match.rule"),
    ).toBe("R");
  });

  test("take a character as it is behind a backslash", () => {
    expect([...set("static_fields.a\\.b\\[0\\]\\=\\\\=v").get("static_fields")]).toEqual([["a.b[0]=\\", "v"]]);
  });

  test("that make no sense are told", () => {
    const bad = (option: string): string => mistakes({ "main.yaml": "rules_files: [a]\n" }, [option])[0] ?? "";
    expect(bad("json_output")).toBe("-o json_output: KEY=VALUE is wanted");
    expect(bad("=x")).toBe("-o =x: a key is missing");
    expect(bad("a..b=x")).toBe("-o a..b=x: a key is missing");
    expect(bad("rules_files[x]=1")).toContain("a number is wanted between the brackets, not 'x'");
    expect(bad("rules_files[0=1")).toContain("'[' without ']'");
    expect(bad("rules_files[0]x=1")).toContain("wanted after ']', not 'x'");
    expect(bad("rules_files[7]=1")).toContain("'rules_files' has 1 entries, so there is no place for [7]");
    expect(bad("rules_files[99999999999]=1")).toContain("is too large");
    expect(bad("rules_files.x=1")).toContain("'rules_files' is a list and has no keys");
    expect(bad("json_output[0]=1")).toContain("json_output: wants true or false, not a list");
    expect(bad("rules_files={a")).toContain("the value is not YAML");
    expect(bad("json_outpt=1")).toBe("-o json_outpt=1: unknown key 'json_outpt'; did you mean 'json_output'?");
  });
});

describe("config_files", () => {
  const base =
    "config_files: [{path: DIR/d, strategy: STRATEGY}]\nrules_files: [a]\nengine: {kind: kmod, kmod: {buf_size_preset: 2}}\n";
  const more = "rules_files: [b]\nengine: {kind: nodriver}\njson_output: true\n";
  const merged = (strategy: string): Config =>
    load({ "main.yaml": base.replace("STRATEGY", strategy), "d/x.yaml": more });

  test("append: lists grow, other keys are replaced whole", () => {
    const config = merged("append");
    expect(config.get("rules_files")).toEqual(["a", "b"]);
    expect(config.get("engine.kind")).toBe("nodriver");
    expect(config.get("engine.kmod.buf_size_preset")).toBe(4);
    expect(config.get("json_output")).toBe(true);
  });

  test("override: keys are replaced", () => {
    expect(merged("override").get("rules_files")).toEqual(["b"]);
  });

  test("add-only: only new keys count", () => {
    const config = merged("add-only");
    expect(config.get("rules_files")).toEqual(["a"]);
    expect(config.get("engine.kind")).toBe("kmod");
    expect(config.get("json_output")).toBe(true);
  });

  test("may be files, directories in order of name, and patterns", () => {
    const config = load({
      "main.yaml": "config_files: [DIR/d, DIR/single.yaml, 'DIR/p*.yaml']\n",
      "d/2.yml": "rules_files: [d2]\n",
      "d/1.yaml": "rules_files: [d1]\n",
      "d/readme.txt": "not: [yaml",
      "single.yaml": "rules_files: [s]\n",
      "p2.yaml": "rules_files: [p2]\n",
      "p1.yaml": "rules_files: [p1]\n",
    });
    expect(config.get("rules_files")).toEqual(["d1", "d2", "s", "p1", "p2"]);
    expect(config.files).toEqual(["main.yaml", "d/1.yaml", "d/2.yml", "single.yaml", "p1.yaml", "p2.yaml"]);
  });

  test("may be set on the command line; settings win over files", () => {
    const files = { "main.yaml": "json_output: true\n", "x.yaml": "priority: error\nrule_matching: all\n" };
    const dir = mkdtempSync(join(tmpdir(), "falco-config-"));
    writeFileSync(join(dir, "x.yaml"), files["x.yaml"]);
    const config = load(files, [`config_files[]=${dir}/x.yaml`, "priority=alert"]);
    rmSync(dir, { recursive: true });
    expect([config.get("priority"), config.get("rule_matching")]).toEqual(["alert", "all"]);
  });

  test("may not name further files, and what is missing is told", () => {
    expect(mistakes({ "main.yaml": "config_files: [DIR/x.yaml]\n", "x.yaml": "config_files: [y]\n" })).toEqual([
      "x.yaml:1:1: config_files may only stand in the first file",
    ]);
    expect(load({ "main.yaml": "config_files: [DIR/none]\n" }).warnings[0]?.text).toContain(
      "none: no such file or directory",
    );
    expect(wrong("config_files: [{path: x, strategy: merge}]")[0]).toContain(
      "config_files[0].strategy: wants one of append",
    );
    expect(wrong("config_files: [{strategy: append}]")[0]).toContain("an entry has no path");
  });
});

describe("the table of keys", () => {
  test("is what the shipped rules/falco.yaml says", () => {
    expect(readFileSync(join(ROOT, "rules/falco.yaml"), "utf8")).toBe(shippedConfig());
  });

  test("gives a shipped file that holds the defaults and nothing else", () => {
    const config = loadConfig({ file: join(ROOT, "rules/falco.yaml"), env: {} });
    expect(config.warnings).toEqual([]);
    for (const { key } of KEYS) expect([key, config.get(key) as unknown]).toEqual([key, load({}).get(key) as unknown]);
  });

  test("has each key once, with words", () => {
    expect(new Set(KEYS.map((k) => k.key)).size).toBe(KEYS.length);
    for (const k of KEYS) expect(k.doc).toMatch(/^[A-Z].*\.$/s);
  });

  test("becomes a JSON schema", () => {
    const schema = configSchema() as {
      properties: Record<string, { properties?: Record<string, unknown>; type?: string }>;
    };
    expect(schema.properties["json_output"]).toMatchObject({ type: "boolean", default: false });
    expect(Object.keys(schema.properties["engine"]?.properties ?? {})).toContain("modern_ebpf");
  });

  sharedTest("has all keys of the reference", () => {
    const reference = JSON.parse(readFileSync(sharedPath("reference", "falco_config.json"), "utf8")) as {
      schema_keys: [string, string | null, string[] | null][];
      shipped_falco_yaml: Record<string, unknown>;
    };
    const own = new Set<string>();
    for (const k of KEYS) {
      const record = "record" in k ? (k.record ?? []) : [];
      if (k.type === "records" && k.key !== "config_files") for (const r of record) own.add(`${k.key}[].${r.key}`);
      else own.add(k.key);
    }
    const known = (key: string): boolean => own.has(key) || own.has(key.replace(/\[\]$/, "")) || key === "rule_files[]";
    expect(reference.schema_keys.map(([key]) => key).filter((key) => !known(key))).toEqual([]);
  });

  sharedTest("accepts every value the reference ships", () => {
    const reference = JSON.parse(readFileSync(sharedPath("reference", "falco_config.json"), "utf8")) as {
      shipped_falco_yaml: Record<string, unknown>;
    };
    const options = Object.entries(reference.shipped_falco_yaml)
      .filter(([key]) => key !== "config_files")
      .map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
    expect(mistakes({}, options)).toEqual([]);
  });

  sharedTest("accepts the configuration of the reference runs", () => {
    const config = loadConfig({ file: sharedPath("golden", "falco_oracle.yaml"), env: {} });
    expect(config.warnings).toEqual([]);
    expect(config.get("rule_matching")).toBe("all");
  });
});
