// SPDX-License-Identifier: Apache-2.0
// Verdict cases in which we deviate from the reference, each with the reason; DIFFERENCES.md explains them.

const QUOTED = "list items and exception values are quoted where they need it, so they mean what they say";
const DEPRECATED = "deprecated fields are looked for among the fields of an output, not in its text";
const YAML = "not valid YAML";

/** Name of the case → why it is not compared. */
export const DIFFERENT: Readonly<Record<string, string>> = {
  "listitem-04-inner-quote": QUOTED,
  "listitem-05-comma": QUOTED,
  "listitem-06-paren": QUOTED,
  "listitem-07-equals": QUOTED,
  "listitem-09-tab": QUOTED,
  "listitem-20-space-inner-dq": QUOTED,
  "exception-69-value-quote": QUOTED,
  "exception-71-value-space-in": QUOTED,
  "output-08-deprecated-latency": DEPRECATED,
  "output-09-deprecated-text": DEPRECATED,
  "override-69-exceptions-replace-nocomps": "replaced exceptions get the default operators",
  "override-70-exceptions-replace-badfield": "replaced exceptions are checked like others, at their own place",
  "list-33-override-seq": "the place of the override is given instead of the beginning of the file",
  "evttype-21-rhs": "comparing evt.type with another field is allowed, as in filters",
  "yaml-16-unclosed-quote": YAML,
  "yaml-64-nul-in-desc": YAML,
  "yaml-96-escape-seqs": "\\_ is a no-break space, in UTF-8",
};
