// Renders docs/reference/coverage.md: what becomes of each callback and of each member of the ModuleApi. Pure text, no files.
import type { ApiMethod } from "../../bridge/catalogue/catalogue.js";
import { GENERATED } from "./render-types.js";
import type { Sources } from "./sources.js";

const INTRODUCTION = `# What is covered

<!-- ${GENERATED} -->

All that Synapse offers to its modules, and what becomes of it here. The tests hold the catalogue against the installed Synapse,
both ways, so that nothing is missing. What is *tested* has a row on a real Synapse: a test fails where one lacks it.
`;

export function renderCoverage(sources: Sources): string {
  return [INTRODUCTION, renderCallbacks(sources), renderMembers(sources)].join("\n");
}

function renderCallbacks({ callbacks }: Sources): string {
  const rows = callbacks.map(({ name, category }) => `| \`${name}\` | ${category} | forwarded, tested |\n`);
  return `## Callbacks

${callbacks.length} callbacks, all forwarded and tested.

| callback | registered with \`register_…_callbacks\` | |
| --- | --- | --- |
${rows.join("")}`;
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

/** Storage is no member of Synapse's. */
function isOurs(name: string): boolean {
  return name.startsWith("store.");
}

function renderMembers({ properties, methods, absent }: Sources): string {
  const known = [
    ...properties.map(([name]): [string, string] => [name, "answered in Node, tested"]),
    ...methods.map(([name, { access }]): [string, string] => [
      name,
      isOurs(name) ? ADDED[access] : ACCESS[access],
    ]),
    ...absent.map(([name, why]): [string, string] => [name, `cannot cross. ${why}`]),
  ];
  const rows = known
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, what]) => `| \`${name}\` | ${what} |\n`);
  const count = (start: string) => known.filter(([, what]) => what.startsWith(start)).length;
  return `## ModuleApi

${known.length - count("added")} members: ${count("forwarded")} forwarded and tested, ${count("answered")} answered in Node and tested, ${count("cannot")} that cannot cross; and ${count("added")} that the bridge adds.

| member | |
| --- | --- |
${rows.join("")}`;
}
