// Renders docs/reference/versions.md: what was measured on each Synapse, and what older ones lack. Pure text, no files.
import { isOlder, OLDEST_SYNAPSE } from "../../bridge/base/releases.js";
import { anchor, code, type Row, table } from "./markdown.js";
import type { MeasuredPart, Sources } from "./sources.js";

const INTRODUCTION = `# Versions

<!-- Generated from schemas/ and test/synapse/versions/measured.json by \`npm run generate\`: do not edit. -->

One package from pip and one from npm work on all of these. \`npm run test:matrix\` runs the modules of the tests on each of them
by real traffic, beside the same modules in Python, and compares what clients and other servers get. A row is one callback with
one thing that happens and one answer of a module.

- *Equal*: the same as in Python.
- *Intended*: different on purpose, as [failures](../admin/failures.md) tells: mostly where a module is broken.
- *Absent*: about a callback that this Synapse lacks, or something else that it [cannot do](#what-older-releases-lack).
- *Failed*: neither.

Where *few* rows were taken, they are three of each thing that happens. *asyncio* is Synapse's \`SYNAPSE_ASYNC_IO_REACTOR=1\`.
`;

const LACKING = `## What older releases lack

A module that has a callback which its Synapse lacks stops Synapse's start, and the last line of the log names both. So does a
\`match\` on a parameter that its Synapse does not give. With [\`optional\`](../admin/configuration.md#callbacks), Synapse starts
without the callback. To a handler, such a parameter is \`undefined\`. \`synapse-module-bridge check --synapse 1.130.0\` tells what
a module would lack there.

What differs without a name of its own, for modules in Python as well:

- In 1.100.0, nobody can join a room of another server while a module has \`on_new_event\`: Synapse [waits for
  itself](https://github.com/element-hq/synapse/pull/16973). In 1.110.0, the join succeeds.
- Synapse asks \`should_drop_federated_event\` about invites from 1.130.0 on.
- 1.130.0 lacks rooms of version 12. 1.140.0 fails to make one while a module has \`check_event_allowed\`; 1.150.0 makes it.
`;

export function renderVersions(sources: Sources): string {
  return [INTRODUCTION, results(sources.measured), LACKING, lacking(sources)].join("\n");
}

function results(parts: readonly MeasuredPart[]): string {
  const head = ["Synapse", "Python", "Node", "rows", "equal", "intended", "absent", "failed"];
  const rows = parts.map(
    ({ synapse, python, node, asyncio, rows: some, equal, intended, absent, failed }) => [
      ...[synapse, python, asyncio ? `${node}, asyncio` : node, some],
      ...[equal, intended, absent, failed].map(String),
    ],
  );
  return table(head, rows);
}

/** What came after the oldest release that the bridge works on, by release. */
function lacking({ callbacks, methods, properties, codes }: Sources): string {
  const oldest = OLDEST_SYNAPSE;
  const callback = (name: string) => `[\`${name}\`](callbacks.md#${name})`;
  const all: [since: string, what: string][] = [
    ...callbacks.flatMap(({ name, since, params_since = {} }): [string, string][] => [
      [since, callback(name)],
      ...Object.entries(params_since).map(([param, from]): [string, string] => [
        from,
        `the parameter ${code(param)} of ${callback(name)}`,
      ]),
    ]),
    ...methods.flatMap(([name, { since = oldest, params_since = {} }]): [string, string][] => [
      [since, `[\`api.${name}\`](api.md#${anchor(name)})`],
      ...Object.entries(params_since).map(([param, from]): [string, string] => [
        from,
        `the parameter ${code(param)} of [\`api.${name}\`](api.md#${anchor(name)})`,
      ]),
    ]),
    ...properties.map(([name, { since = oldest }]): [string, string] => [since, code(`api.${name}`)]),
    ...codes.map(([name, { since = oldest }]): [string, string] => [since, code(`Codes.${name}`)]),
  ];
  const later = all.filter(([since]) => isOlder(oldest, since));
  const releases = [...new Set(later.map(([since]) => since))].sort((a, b) => (isOlder(a, b) ? -1 : 1));
  const rows = releases.map((release): Row => {
    const things = later.filter(([since]) => since === release).map(([, what]) => what);
    return [release, things.join(", ")];
  });
  return table(["came with", "what"], rows);
}
