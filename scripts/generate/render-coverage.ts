// Renders docs/reference/coverage.md: what becomes of each callback and of each member of the ModuleApi. Pure text, no files.
import type { ApiMethod } from "../../bridge/catalogue/catalogue.js";
import { anchor, code, table } from "./markdown.js";
import type { Sources } from "./sources.js";
import { GENERATED } from "./type-text.js";

const INTRODUCTION = `# What is covered

<!-- ${GENERATED} -->

Everything that Synapse offers to modules, and whether a TypeScript module has it. A test compares these lists with the
installed Synapse, so nothing is missing. *Tested* means that a test uses it on a real Synapse.

Media storage providers and user mapping providers are [not modules](../author/porting.md#what-is-not-a-module). For what Python
modules take from Synapse's private parts, there are [public ways](../author/porting.md#what-python-modules-reach-into-synapse-for).
`;

export function renderCoverage(sources: Sources): string {
  return [INTRODUCTION, renderCallbacks(sources), renderMembers(sources)].join("\n");
}

function renderCallbacks({ callbacks }: Sources): string {
  const rows = callbacks.map(({ name, category }) => [`[\`${name}\`](callbacks.md#${name})`, category]);
  return `## Callbacks

All ${callbacks.length} callbacks are forwarded and tested.

${table(["callback", "category"], rows)}`;
}

const ACCESS: Readonly<Record<ApiMethod["access"], string>> = {
  sync: "answered in Node, tested",
  read: "forwarded, tested",
  write: "forwarded, tested; needs a grant",
};

const ADDED: Readonly<Record<ApiMethod["access"], string>> = {
  sync: "added by the bridge, tested",
  read: "added by the bridge, tested",
  write: "added by the bridge, tested; needs a grant",
};

/** Synapse's ModuleApi has no storage. */
function isOurs(name: string): boolean {
  return name.startsWith("store.");
}

function renderMembers({ properties, methods, absent }: Sources): string {
  const link = (name: string) => `[\`${name}\`](api.md#${anchor(name)})`;
  const known = [
    ...properties.map(([name]): [string, string] => [code(name), "answered in Node, tested"]),
    ...methods.map(([name, { access }]): [string, string] => [
      link(name),
      isOurs(name) ? ADDED[access] : ACCESS[access],
    ]),
    ...absent.map(([name]): [string, string] => [code(name), "[not there](api.md#not-there)"]),
  ];
  const rows = known.sort(([a], [b]) => (plain(a) < plain(b) ? -1 : 1));
  const count = (start: string) => known.filter(([, what]) => what.startsWith(start)).length;
  return `## ModuleApi

Of ${known.length - count("added")} members, ${count("forwarded")} are forwarded, Node answers ${count("answered")} itself, and ${count("[not")} are not there. The bridge adds ${count("added")}.

${table(["member", "status"], rows)}`;
}

const plain = (text: string) => text.replace(/^\W+|`.*$/g, "");
