// The page about a run that is kept in the docs: when, where, the figures, and which goals were reached.
import { execFileSync } from "node:child_process";
import { cpus, totalmem } from "node:os";
import { venvPython } from "../../support/paths.js";

/** When and on what machine. */
export function circumstances(rounds: number): string {
  const [cpu] = cpus();
  const versions =
    "import platform, importlib.metadata as m; print(platform.python_version(), m.version('matrix-synapse'))";
  const [python, synapse] = execFileSync(venvPython(), ["-c", versions], { encoding: "utf8" })
    .trim()
    .split(" ");
  const date = new Date().toISOString().slice(0, 10);
  const memory = Math.round(totalmem() / 2 ** 30);
  return (
    `${date}, ${cpus().length} x ${cpu?.model}, ${memory} GB, Synapse ${synapse}, Python ${python}, ` +
    `Node ${process.versions.node}, ${rounds === 1 ? "one round" : `medians of ${rounds} rounds`}`
  );
}

/** `tables` are texts in columns. */
export function page(when: string, tables: Readonly<Record<string, string>>): string {
  const sections = Object.entries(tables).map(
    ([title, table]) => `## ${title}\n\n\`\`\`\n${table}\n\`\`\`\n`,
  );
  return [
    "# A run of the benchmark",
    "<!-- Written by `npm run bench -- --save`. -->",
    `${when}. [performance.md](performance.md) explains the measurements.`,
    "![Bars for latency, calls per second and CPU; lines for the growth of latency](benchmark.svg)",
    ...sections,
  ].join("\n\n");
}
