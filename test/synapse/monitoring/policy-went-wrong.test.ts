/**
 * The page docs/admin/policy-went-wrong.md, step by step, with its own commands: on a Synapse with a worker, PostgreSQL, Redis and
 * Prometheus. TRANSCRIPT=path writes down what was sent and answered.
 */
import { execFile } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { fencesOf } from "../../docs/pages.js";
import { bridge } from "../../support/bridge.js";
import type { Client } from "../../support/client.js";
import { projectRoot } from "../../support/paths.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { type Monitored, startMonitored } from "./monitored.js";

interface Decisions {
  readonly decisions: readonly Readonly<Record<string, unknown>>[];
}

const run = promisify(execFile);
const files = temporaryFolder();
const policy = files.path("no-links.ts");
const version = (name: string) =>
  copyFileSync(join(projectRoot, "test/synapse/monitoring/modules", `no-links-${name}.ts`), policy);
const patienceMs = 30_000;
// The counts of shadow modules are stored every 15 s.
jest.setTimeout(3 * patienceMs);

let monitored: Monitored;
let admin: Client;
let alice: Client;
let room: string;
/** The commands of the page, by the words after `api` in their line. */
let commands: readonly string[];
let prelude: string;
const transcript: string[] = [];

beforeAll(async () => {
  version("broken");
  monitored = await startMonitored([bridge({ modules: [{ path: policy }] })]);
  admin = await monitored.user("admin", { admin: true });
  alice = await monitored.user("alice");
  room = (await alice.createRoom()).body.room_id;
  [prelude, commands] = readPage(monitored.deployment.process("main").baseUrl);
}, 120_000);

afterAll(async () => {
  const path = process.env.TRANSCRIPT;
  if (path) writeFileSync(path, `${transcript.join("\n")}\n`);
  await monitored?.stop();
  files.remove();
});

/** What the page says to run beforehand, and all its other lines, for this server. */
function readPage(baseUrl: string): [string, string[]] {
  const path = "docs/admin/policy-went-wrong.md";
  const text = readFileSync(join(projectRoot, path), "utf8");
  const blocks = fencesOf({ path, text })
    .filter(({ info }) => info === "")
    .map(({ text }) => text.replaceAll("example.org", monitored.deployment.serverName));
  const [first = "", ...rest] = blocks;
  const before = first
    .replace("read -rs TOKEN\n", "")
    .replace(/^ADDRESS=https:\/\/[^/]+/m, `ADDRESS=${baseUrl}`)
    .replace(/^api "\$ADDRESS\/status"\n/m, "");
  expect(before).toContain(baseUrl);
  const lines = rest.flatMap((block) => block.split("\n")).filter((line) => line.startsWith("api "));
  // What `jq` makes of an answer is for readers.
  return [before, lines.map((line) => line.replace(/ \| jq .*$/, ""))];
}

/** Runs the page's command that contains these words, and gives its answer. */
async function api<T = Record<string, unknown>>(words: string): Promise<T> {
  const found = commands.find((command) => command.includes(words));
  if (!found) throw new Error(`the page has no command with ${words}`);
  const env = { ...process.env, TOKEN: admin.accessToken };
  const began = performance.now();
  const { stdout } = await run("bash", ["-euc", `${prelude}${found}`], { env });
  const answer = JSON.parse(stdout);
  const ms = (performance.now() - began).toFixed(0);
  note(`$ ${found}`, `${JSON.stringify(answer, null, 2)}   (${ms} ms)`);
  return answer;
}

function note(...lines: string[]): void {
  const time = new Date().toISOString().slice(11, 23);
  transcript.push(`[${time}]`, ...lines, "");
}

const names = () => Object.keys(monitored.deployment.processes);
const say = async (body: string, process = "main") =>
  (await monitored.deployment.through(process, alice).say(room, body)).status;

/** How long it takes until each process answers a message so. */
async function until(status: number, body: string): Promise<void> {
  const began = performance.now();
  const times = names().map(async (name) => {
    await waitFor(`${status} from ${name}`, async () => (await say(body, name)) === status, patienceMs);
    return `${name} after ${(performance.now() - began).toFixed(0)} ms`;
  });
  note(`"${body}" gets ${status}: ${(await Promise.all(times)).join(", ")}`);
  expect(performance.now() - began).toBeLessThan(5_000);
}

test("the alert says which module refuses everybody", async () => {
  const alert = await waitFor(
    "the alert",
    async () => {
      expect(await say("good morning")).toBe(403);
      expect(await say("good morning", "worker1")).toBe(403);
      const alerts = await monitored.prometheus.alerts();
      return alerts.find(({ labels }) => labels.alertname === "ModuleRefusesMost");
    },
    patienceMs,
  );
  note(`ALERT ${alert.annotations.summary}`, String(alert.annotations.runbook_url));
  expect(alert.annotations.summary).toMatch(/^no-links refuses \d+% of check_event_for_spam$/);
});

test("decisions say who was refused what, why, and by which version", async () => {
  const refused = await waitFor("the decisions of both processes", async () => {
    const { decisions } = await api<Decisions>("decisions?outcome=refused");
    return new Set(decisions.map(({ process }) => process)).size === 2 && decisions;
  });
  expect(refused[0]).toMatchObject({
    module: "no-links",
    callback: "check_event_for_spam",
    reason: "a link to a domain that is not allowed",
    details: { hosts: 0 },
    user: alice.userId,
    room,
  });
  const ofAlice = await api<Decisions>("decisions?user=");
  expect(ofAlice.decisions.length).toBeGreaterThan(0);
  const ofModule = await api<Decisions>("decisions?module=");
  expect(ofModule.decisions.length).toBeGreaterThan(0);
});

test("off holds in each process within 5 s", async () => {
  expect(await api('"mode": "off"')).toMatchObject({ name: "no-links", mode: "off", yaml_mode: "enforce" });
  await until(200, "good morning");
  const status = await api<{ processes: { name: string }[] }>("/status");
  expect(status.processes.map(({ name }) => name).sort()).toEqual(names().sort());
});

test("a mended version is loaded by all processes", async () => {
  version("mended");
  const { processes } = await api<{ processes: Record<string, { outcome: string }> }>("/reload");
  expect(Object.keys(processes).sort()).toEqual(names().sort());
  for (const { outcome } of Object.values(processes)) expect(["reloaded", "unchanged"]).toContain(outcome);
});

test("shadow shows what it would refuse, and refuses nothing", async () => {
  expect(await api('"mode": "shadow"')).toMatchObject({ mode: "shadow" });
  const report = await waitFor(
    "what it would refuse",
    async () => {
      for (const name of names()) {
        expect(await say("good morning", name)).toBe(200);
        expect(await say("look at https://evil.example", name)).toBe(200);
      }
      const { modules } = await api<{ modules: Record<string, number>[] }>("/shadow");
      const [found] = modules;
      return found && Number(found.would_refuse) > 0 && found;
    },
    patienceMs,
  );
  expect(report).toMatchObject({ name: "no-links" });
  expect(Number(report.would_refuse)).toBeLessThan(Number(report.asked));
});

test("it enforces again, and refuses only what it should", async () => {
  expect(await api("--request DELETE")).toMatchObject({ mode: "enforce" });
  await until(403, "look at https://evil.example");
  for (const name of names()) expect(await say("good morning", name)).toBe(200);
});
