// SPDX-License-Identifier: Apache-2.0
// The environment as the user gave it, for commands that are run in the user's name.

/**
 * Gives back their names to the variables that scripts/guard hides from Bun in the executable: those of BUN_ and NODE_,
 * whose first letter it makes small.
 */
export function userEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      /^(bUN|nODE)_/.test(name) ? name[0]?.toUpperCase() + name.slice(1) : name,
      value,
    ]),
  );
}
