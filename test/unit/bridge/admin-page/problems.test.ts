// What the overview of the admin's page says about a status.
import { expect, test } from "@jest/globals";
import { problemsOf } from "../../../../bridge/admin-page/problems.js";
import type { Process, ProcessModule, Status } from "../../../../bridge/catalogue/admin-api.js";

const NOW = 1_800_000_000_000;

const runs = (more: Partial<ProcessModule> = {}): ProcessModule => ({
  ...{ name: "no-links", mode: "enforce", files: "a".repeat(64), config: "b".repeat(64), setup: "done" },
  ...{ differs_on_disk: [], breakers: [], quarantines: [], callbacks: {} },
  ...more,
});
const process = (name: string, more: Partial<Process> = {}): Process => ({
  ...{ name, seen_ts: NOW, started_ts: NOW, runs_modules: true, up: true, restarts: 0, decisions_dropped: 0 },
  modules: [runs()],
  ...more,
});
const status = (processes: readonly Process[], more: Partial<Status> = {}): Status => ({
  ...{ server_name: "example.org", ts: NOW, synapse: "1.163.2", bridge: "0.1.0" },
  modules: [{ name: "no-links", mode: "enforce", yaml_mode: "enforce" }],
  processes,
  ...more,
});
const bad = (of: Status) => problemsOf(of).flatMap(({ weight, text }) => (weight === "bad" ? [text] : []));
const notes = (of: Status) => problemsOf(of).flatMap(({ weight, text }) => (weight === "note" ? [text] : []));

test("there is none where all is well, also where a process runs no modules", () => {
  const without = process("pusher1", { runs_modules: false, up: false, modules: [] });
  expect(problemsOf(status([process("main"), process("worker1"), without]))).toEqual([]);
});

test.each<[string, Partial<Process>]>([
  ["Node is down in main", { up: false }],
  ["main has written no status for 15 s", { seen_ts: NOW - 15_000 }],
  ["no-links in main: no such file", { modules: [runs({ setup: "missing", problem: "no such file" })] }],
  ["no-links in main could not be loaded", { modules: [runs({ setup: "missing" })] }],
  ["no-links in main is not set up", { modules: [runs({ setup: "waiting" })] }],
  ["not asked about check_event_for_spam", { modules: [runs({ breakers: ["check_event_for_spam"] })] }],
  ["1 quarantine", { modules: [runs({ quarantines: [{ id: "1", kind: "server", subject: "x.org" }] })] }],
])("bad: %s", (text, more) => {
  expect(bad(status([process("main", more)]))).toEqual([expect.stringContaining(text)]);
});

test("different versions are told with the processes that run them", () => {
  const other = process("worker1", { modules: [runs({ files: "c".repeat(64) })] });
  expect(bad(status([process("main"), other, process("worker2")]))).toEqual([
    "no-links runs with different files: aaaaaaaa in main and worker2; cccccccc in worker1. A reload makes them the same.",
  ]);
});

test("a mode that was set, newer files on disk and decisions that were not stored are notes", () => {
  const override = { mode: "off", by: "@admin:example.org", ts: NOW } as const;
  const modules = [{ name: "no-links", mode: "off", yaml_mode: "enforce", override }] as const;
  const process1 = process("main", { decisions_dropped: 2, modules: [runs({ differs_on_disk: ["/a.ts"] })] });
  expect(notes(status([process1], { modules }))).toEqual([
    "no-links in main runs older files than those on disk. A reload takes the new ones.",
    "main has counted 2 decisions without storing them.",
    "no-links is set to off by @admin:example.org. homeserver.yaml says enforce.",
  ]);
});
