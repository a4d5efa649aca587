// SPDX-License-Identifier: Apache-2.0
// YAML text → tree of nodes that know their position, for files whose mistakes are reported by line and column.
import { EVENT_ID, type Event, getScalarValue, parseEvents, YAMLException } from "js-yaml";
import { type MendedText, mendYaml } from "./yaml_mend.ts";

/** A place in a file: line and column count from 0, column and offset in bytes of the text's UTF-8 form. */
export interface Position {
  line: number;
  column: number;
  offset: number;
}

export interface YamlScalar {
  kind: "scalar";
  /** Index in `YamlFile.text` where the node (its tag or anchor, if any) begins. */
  offset: number;
  value: string;
  /** Written without quotes and not as a block. */
  plain: boolean;
  /** Empty, `~` or `null` without quotes or tag. */
  isNull: boolean;
}

export interface YamlSeq {
  kind: "seq";
  offset: number;
  items: YamlNode[];
}

export interface YamlMap {
  kind: "map";
  offset: number;
  /** Pairs in file order; a key may come twice. */
  entries: [YamlNode, YamlNode][];
}

export type YamlNode = YamlScalar | YamlSeq | YamlMap;

/** Text that is not YAML. Line and column count from 0. */
export class YamlError extends Error {
  override name = "YamlError";
  constructor(
    readonly reason: string,
    readonly file: YamlFile,
    /** Index in `file.text`. */
    readonly at: number,
  ) {
    const { line, column } = file.position(at);
    super(`${file.name}:${line + 1}:${column + 1}: ${reason}`);
  }
}

/** Value of a scalar key of a map; the first one when it comes several times. */
export function mapGet(map: YamlMap, key: string): YamlNode | undefined {
  for (const [k, v] of map.entries) if (k.kind === "scalar" && k.value === key) return v;
  return undefined;
}

/** A file's text with its documents; turns indexes of the text into positions. */
export class YamlFile {
  documents: YamlNode[] = [];
  private starts: number[] | undefined;
  private ascii: boolean | undefined;

  constructor(
    readonly name: string,
    readonly text: string,
  ) {}

  /** Index in `text` at which each line begins; a line ends with LF. */
  private lineStarts(): number[] {
    if (this.starts) return this.starts;
    const starts = [0];
    for (let i = this.text.indexOf("\n"); i >= 0; i = this.text.indexOf("\n", i + 1)) starts.push(i + 1);
    this.starts = starts;
    return starts;
  }

  position(at: number): Position {
    const starts = this.lineStarts();
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const mid = (low + high + 1) >> 1;
      if ((starts[mid] as number) <= at) low = mid;
      else high = mid - 1;
    }
    const start = starts[low] as number;
    this.ascii ??= Buffer.byteLength(this.text) === this.text.length;
    if (this.ascii) return { line: low, column: at - start, offset: at };
    return {
      line: low,
      column: Buffer.byteLength(this.text.slice(start, at)),
      offset: Buffer.byteLength(this.text.slice(0, at)),
    };
  }

  /** Text of a line (from 0) without its line end. */
  line(number: number): string {
    const starts = this.lineStarts();
    const start = starts[number];
    if (start === undefined) return "";
    const end = starts[number + 1];
    return this.text.slice(start, end === undefined ? undefined : end - 1).replace(/\r$/, "");
  }
}

const BOMS: readonly [number[], (bytes: Buffer) => string][] = [
  [[0xff, 0xfe, 0, 0], (b) => decodeUtf32(b, false)],
  [[0, 0, 0xfe, 0xff], (b) => decodeUtf32(b, true)],
  [[0xff, 0xfe], (b) => b.toString("utf16le")],
  [
    [0xfe, 0xff],
    (b) =>
      b
        .subarray(0, b.length & ~1)
        .swap16()
        .toString("utf16le"),
  ],
  [[0xef, 0xbb, 0xbf], (b) => b.toString("utf8")],
];

function decodeUtf32(bytes: Buffer, big: boolean): string {
  let text = "";
  for (let i = 0; i + 4 <= bytes.length; i += 4) {
    const code = big ? bytes.readUInt32BE(i) : bytes.readUInt32LE(i);
    text += code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
  }
  return text;
}

/** Bytes of a text file → text, by its byte order mark, else UTF-8; bytes that are not valid become U+FFFD. */
export function decodeText(bytes: Uint8Array): string {
  for (const [mark, decode] of BOMS) {
    if (bytes.length >= mark.length && mark.every((b, i) => bytes[i] === b)) {
      return decode(Buffer.from(bytes.subarray(mark.length)));
    }
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

/** Deepest nesting accepted. */
const MAX_DEPTH = 100;
const NULLS = new Set(["", "~", "null", "Null", "NULL"]);

/** Makes nodes of the parser's events, in order. */
class Builder {
  private at = 0;
  /** Index in the text behind the last token seen. */
  private end = 0;
  private anchors = new Map<string, YamlNode>();

  constructor(
    private readonly file: YamlFile,
    private readonly events: readonly Event[],
    /** What the events count in: the file's text, or what was made of it. */
    private readonly read: MendedText,
  ) {}

  documents(): YamlNode[] {
    const documents: YamlNode[] = [];
    for (; this.at < this.events.length; this.at++) {
      this.at++;
      this.anchors = new Map();
      const offset = this.read.original(this.end);
      const empty: YamlNode = { kind: "scalar", offset, value: "", plain: true, isNull: true };
      documents.push(this.peek() === EVENT_ID.POP ? empty : this.node());
    }
    return documents;
  }

  private peek(): number {
    return this.events[this.at]?.type ?? EVENT_ID.POP;
  }

  private node(): YamlNode {
    const event = this.events[this.at++] as Event;
    const text = this.read.text;
    if (event.type === EVENT_ID.ALIAS) {
      const name = text.slice(event.anchorStart, event.anchorEnd);
      this.end = event.anchorEnd;
      const node = this.anchors.get(name);
      if (!node)
        throw new YamlError(
          `alias "*${name}" has no anchor before it`,
          this.file,
          this.read.original(event.anchorStart - 1),
        );
      return node;
    }
    if (event.type === EVENT_ID.POP || event.type === EVENT_ID.DOCUMENT) throw new Error("unexpected YAML event");

    let properties = -1;
    if (event.anchorStart >= 0) properties = event.anchorStart - 1;
    if (event.tagStart >= 0 && (properties < 0 || event.tagStart < properties)) properties = event.tagStart;
    if (properties >= 0) this.end = Math.max(this.end, event.anchorEnd, event.tagEnd);

    if (event.type === EVENT_ID.SCALAR) {
      const own = this.scalarStart(event);
      const offset = this.read.original(properties >= 0 ? properties : own);
      const value = getScalarValue(text, event);
      const plain = event.style === 1;
      if (event.valueEnd >= 0) this.end = event.valueEnd + (event.style === 2 || event.style === 3 ? 1 : 0);
      const isNull = plain && event.tagStart < 0 && NULLS.has(value);
      return this.keep(event, { kind: "scalar", offset, value, plain, isNull });
    }
    const offset = this.read.original(properties >= 0 ? properties : event.start);
    this.end = Math.max(this.end, event.start);
    if (event.type === EVENT_ID.SEQUENCE) {
      const items: YamlNode[] = [];
      const node = this.keep(event, { kind: "seq", offset, items });
      while (this.peek() !== EVENT_ID.POP) items.push(this.node());
      this.at++;
      return node;
    }
    const entries: [YamlNode, YamlNode][] = [];
    const node = this.keep(event, { kind: "map", offset, entries });
    while (this.peek() !== EVENT_ID.POP) {
      const key = this.node();
      entries.push([key, this.node()]);
    }
    this.at++;
    return node;
  }

  private keep(event: { anchorStart: number; anchorEnd: number }, node: YamlNode): YamlNode {
    if (event.anchorStart >= 0) this.anchors.set(this.read.text.slice(event.anchorStart, event.anchorEnd), node);
    return node;
  }

  /** Where a scalar's first character (quote, block indicator) stands; for an empty one, where the next token does. */
  private scalarStart(event: { valueStart: number; style: number }): number {
    if (event.style === 1) return event.valueStart >= 0 ? event.valueStart : this.nextToken(false);
    if (event.style === 2 || event.style === 3) return event.valueStart - 1;
    return this.nextToken(true);
  }

  /** Index of the next token behind the last one seen, past indicators, blanks and comments. */
  private nextToken(block: boolean): number {
    const text = this.read.text;
    let i = this.end;
    let indicator = false;
    for (; i < text.length; i++) {
      const c = text[i] as string;
      if (c === "#" && i > 0 && /\s/.test(text[i - 1] as string)) {
        i = text.indexOf("\n", i);
        if (i < 0) return text.length;
      } else if (block) {
        if (c === "|" || c === ">") return i;
      } else if (c !== " " && c !== "\t" && c !== "\n" && c !== "\r") {
        if (indicator || (c !== ":" && c !== "-")) return i;
        indicator = true;
      }
    }
    return i;
  }
}

/** Reads all documents of a YAML file. Throws YamlError. */
export function parseYaml(source: { name: string; content: string | Uint8Array }): YamlFile {
  const { content } = source;
  const text = typeof content === "string" ? content.replace(/^\ufeff/, "") : decodeText(content);
  const file = new YamlFile(source.name, text);
  const lone = /\r(?!\n)/.exec(text);
  if (lone) throw new YamlError("a carriage return that is not followed by a line feed", file, lone.index);
  file.documents = readSegments(file).flatMap(({ events, read }) => new Builder(file, events, read).documents());
  return file;
}

/** A part of a file that the parser takes as a whole, with its events. */
interface Segment {
  events: Event[];
  /** What the events count in. */
  read: MendedText;
}

/** Most times that a file may go on with a document that has no separator before it. */
const MAX_SEGMENTS = 20;
/** The parser's words for something behind the end of a document. */
const NEXT_DOCUMENT = /^end of the stream or a document separator/;

/** Reads a file as it is or mended; what stands further left than a document is the next one. Throws YamlError. */
function readSegments(file: YamlFile): Segment[] {
  const segments: Segment[] = [];
  let rest: MendedText = { text: file.text, original: (at) => at };
  for (;;) {
    const first = tryParse(rest);
    if (!("error" in first)) return [...segments, first];
    const mended = mendYaml(rest.text);
    const outer = rest.original;
    const second = mended && tryParse({ text: mended.text, original: (at) => outer(mended.original(at)) });
    if (second && !("error" in second)) return [...segments, second];
    const failure = [first, second].find((f) => f && NEXT_DOCUMENT.test(f.error.reason));
    const at = failure?.error.mark?.position ?? 0;
    const head = failure && tryParse({ text: failure.read.text.slice(0, at), original: failure.read.original });
    const column = failure ? columnOf(failure.read.text, at) : -1;
    if (!failure || !head || "error" in head || column < 0 || column >= lastColumn(head)) {
      // What mending takes care of is not worth a word.
      const { error, read } = second ?? first;
      throw new YamlError(error.reason, file, read.original(Math.min(error.mark?.position ?? 0, read.text.length)));
    }
    if (segments.push(head) > MAX_SEGMENTS)
      throw new YamlError("too many documents without '---'", file, rest.original(0));
    const { text, original } = failure.read;
    rest = { text: " ".repeat(column) + text.slice(at), original: (i) => original(Math.max(at, i + at - column)) };
  }
}

/** Column of a place with nothing but blanks before it in its line; -1 when there is more. */
function columnOf(text: string, at: number): number {
  const start = text.lastIndexOf("\n", at - 1) + 1;
  return /^ *$/.test(text.slice(start, at)) ? at - start : -1;
}

/** Column at which the last document begins. */
function lastColumn({ events, read }: Segment): number {
  const last = events.findLastIndex((event) => event.type === EVENT_ID.DOCUMENT);
  const event = events[last + 1];
  let at = -1;
  if (event?.type === EVENT_ID.SEQUENCE || event?.type === EVENT_ID.MAPPING) at = event.start;
  else if (event?.type === EVENT_ID.SCALAR) at = event.valueStart;
  return at < 0 ? -1 : at - (read.text.lastIndexOf("\n", at - 1) + 1);
}

function tryParse(read: MendedText): Segment | { error: YAMLException; read: MendedText } {
  try {
    return { events: parseEvents(read.text, { maxDepth: MAX_DEPTH }), read };
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    return { error, read };
  }
}
