/** Collects the spans that Synapse reports, in place of a Jaeger agent. */
import { join } from "node:path";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { projectRoot, venvPython } from "../../support/paths.js";
import { startProgram } from "../../support/program.js";

export interface Span {
  readonly id: string;
  readonly trace: string;
  /** Another span's id; of a trace's first span it is 0. */
  readonly parent: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string | number | boolean>>;
}

export interface Collector {
  /** `opentracing` for homeserver.yaml: every request is traced. */
  readonly config: object;
  spans(): Span[];
  /** The span that a span's trace began with. */
  root(span: Span): Promise<Span>;
  stop(): Promise<void>;
}

/** `packages` is where jaeger-client is installed. */
export async function startCollector(packages: string): Promise<Collector> {
  const program = startProgram({
    command: venvPython(),
    args: [join(projectRoot, "test/synapse/tracing/collector.py")],
    cwd: projectRoot,
    env: { ...process.env, PYTHONPATH: packages },
  });
  const lines = () => program.stdout().split("\n").slice(0, -1);
  const port = await waitFor("the collector", () => {
    if (program.hasEnded()) throw new Error(program.stderr());
    return lines()[0];
  });
  const spans = (): Span[] =>
    lines()
      .slice(1)
      .map((line) => JSON.parse(line));
  // A span is reported when it ends: what it is in comes later.
  const root = async (span: Span): Promise<Span> => {
    if (span.parent === "0") return span;
    const isParent = ({ id, trace }: Span) => id === span.parent && trace === span.trace;
    return root(await waitFor(`the parent of ${span.name}`, () => spans().find(isParent)));
  };
  const config = {
    enabled: true,
    jaeger_config: {
      sampler: { type: "const", param: 1 },
      local_agent: { reporting_host: "127.0.0.1", reporting_port: Number(port) },
      reporter_queue_size: 10_000,
      logging: false,
    },
  };
  return { config, spans, root, stop: program.stop };
}
