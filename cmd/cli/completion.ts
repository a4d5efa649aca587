// SPDX-License-Identifier: Apache-2.0
// Shell completions, made from the flag and command records.
import type { Command, Flag } from "./flags.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** All spellings of the flags: "--limit", "-n". */
function spellings(flags: readonly Flag[]): string[] {
  return flags.flatMap((f) => (f.short === undefined ? [`--${f.name}`] : [`--${f.name}`, `-${f.short}`]));
}

function wantsFile(flag: Flag): boolean {
  return flag.type !== "boolean" && /FILE|PATH|DIR/.test(flag.value ?? "");
}

/** What is completed behind a first word: a command's name, or "-*" for command lines that begin with a flag. */
interface Completed {
  readonly name: string;
  readonly flags: readonly Flag[];
  readonly firstWords?: readonly string[];
}

function bash(commands: readonly Command[], top: readonly Flag[]): string {
  const cases = [...commands, { name: "-*", flags: top }].map((c: Completed) => {
    const values = c.flags
      .filter((f) => f.choices !== undefined)
      .map(
        (f) =>
          `      ${spellings([f]).join("|")}) COMPREPLY=($(compgen -W "${f.choices?.join(" ")}" -- "$word")); return ;;`,
      );
    const files = spellings(c.flags.filter(wantsFile));
    if (files.length > 0) values.push(`      ${files.join("|")}) COMPREPLY=($(compgen -f -- "$word")); return ;;`);
    const words = [...spellings(c.flags), ...(c.firstWords ?? [])].join(" ");
    const inner = values.length === 0 ? "" : `    case $before in\n${values.join("\n")}\n    esac\n`;
    return `  ${c.name})\n${inner}    COMPREPLY=($(compgen -W "${words}" -- "$word"))\n    ;;`;
  });
  const first = [...commands.map((c) => c.name), ...spellings(top)].join(" ");
  return `# bash completion of falco; use it with: source <(falco completion bash)
_falco() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  # The shell takes --flag=value for three words.
  if [ "$word" = = ]; then word=; elif [ "$before" = = ]; then before=\${COMP_WORDS[COMP_CWORD-2]}; fi
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${first}" -- "$word"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join("\n")}
  esac
}
complete -o bashdefault -o default -F _falco falco
`;
}

/** A text inside single quotes of a shell. */
function quoted(text: string): string {
  return text.replaceAll("'", "'\\''");
}

function zsh(commands: readonly Command[], top: readonly Flag[]): string {
  const label = (text: string) => quoted(text.replace(/[[\]:\\]/g, "\\$&"));
  const spec = (f: Flag): string[] => {
    const action = f.choices !== undefined ? `(${f.choices.join(" ")})` : wantsFile(f) ? "_files" : "";
    const value = f.type === "boolean" ? "" : `${f.type === "optional" ? "::" : ":"}${f.value ?? "value"}:${action}`;
    const assign = f.type === "optional" ? "=-" : f.type === "boolean" ? "" : "=";
    const many = f.type === "strings" ? "*" : "";
    const long = `'${many}--${f.name}${assign}[${label(f.help)}]${value}'`;
    return f.short === undefined ? [long] : [long, `'${many}-${f.short}[${label(f.help)}]${value}'`];
  };
  const cases = commands.map((c) => {
    const rest =
      c.firstWords === undefined ? "'*:word:_files'" : `'1:what:(${c.firstWords.join(" ")})' '*:word:_files'`;
    return `  ${c.name}) _arguments ${[...c.flags.flatMap(spec), rest].join(" ")} ;;`;
  });
  const names = commands.map((c) => `    '${c.name}:${label(c.summary)}'`);
  return `#compdef falco
# zsh completion of falco; put it as _falco into a directory of $fpath
local -a commands
if [[ $words[2] == -* ]]; then
  _arguments ${[...top.flatMap(spec), "'*:word:_files'"].join(" ")}
  return
fi
if (( CURRENT == 2 )); then
  commands=(
${names.join("\n")}
  )
  _describe command commands
  return
fi
local command=$words[2]
shift words
(( CURRENT-- ))
case $command in
${cases.join("\n")}
esac
`;
}

function fish(commands: readonly Command[], top: readonly Flag[]): string {
  const out = ["# fish completion of falco; use it with: falco completion fish | source", "complete -c falco -f"];
  const flag = (seen: string, f: Flag): void => {
    const short = f.short === undefined ? "" : ` -s ${f.short}`;
    const value = f.type === "boolean" || f.type === "optional" ? "" : wantsFile(f) ? " -r -F" : " -x";
    const choices = f.choices === undefined ? "" : ` -a '${f.choices.join(" ")}'`;
    out.push(`complete -c falco ${seen} -l ${f.name}${short}${value}${choices} -d '${quoted(f.help)}'`);
  };
  for (const f of top) flag("-n __fish_use_subcommand", f);
  for (const c of commands) {
    out.push(`complete -c falco -n __fish_use_subcommand -a ${c.name} -d '${quoted(c.summary)}'`);
    const seen = `-n '__fish_seen_subcommand_from ${c.name}'`;
    for (const f of c.flags) flag(seen, f);
    for (const w of c.firstWords ?? []) out.push(`complete -c falco ${seen} -a ${w}`);
  }
  return `${out.join("\n")}\n`;
}

/** The completion script of a shell. */
export function completionScript(shell: Shell, commands: readonly Command[], top: readonly Flag[]): string {
  if (shell === "bash") return bash(commands, top);
  return shell === "zsh" ? zsh(commands, top) : fish(commands, top);
}
