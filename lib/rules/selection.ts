// SPDX-License-Identifier: Apache-2.0
// Which rules run: their own `enabled`, then the selections of configuration and command line, in order.

/** Switches rules on or off, by name (with `*` for any characters) or by tag. */
export interface Selection {
  enable: boolean;
  rule?: string;
  tag?: string;
}

function namePattern(wildcard: string): RegExp {
  const escaped = wildcard.split("*").map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"));
  return new RegExp(`^${escaped.join(".*")}$`, "s");
}

/** Makes the decision for one rule. */
export function selector(
  selections: readonly Selection[],
): (rule: { name: string; tags: readonly string[]; enabled: boolean }) => boolean {
  const steps = selections.map(({ enable, rule, tag }) => ({
    enable,
    tag,
    pattern: rule === undefined ? undefined : namePattern(rule),
  }));
  return (rule) => {
    let enabled = rule.enabled;
    for (const { enable, tag, pattern } of steps) {
      const named = pattern?.test(rule.name) ?? false;
      const tagged = tag !== undefined && rule.tags.includes(tag);
      if (named || tagged) enabled = enable;
    }
    return enabled;
  };
}
