// The database and the store on a real Synapse with SQLite.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { type Body, Client, registerUser } from "../../support/client.js";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { observed } from "../../support/observed.js";
import { projectRoot, venvPython } from "../../support/paths.js";
import { childrenOf } from "../../support/processes.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { storageCases } from "./storage-cases.js";
import { storageModules } from "./storage-modules.js";

const folder = temporaryFolder();
const path = folder.path("hs.db");
let server: Homeserver;

async function start(): Promise<void> {
  const database = { name: "sqlite3", args: { database: path } };
  server = await startHomeserver({ modules: storageModules(), extraConfig: { database } });
}

beforeAll(start, 60_000);

afterAll(async () => {
  await server?.stop();
  folder.remove();
});

const called = new Set<string>();

async function ask(action: string, params: object = {}, by = "granted"): Promise<Body> {
  called.add((params as { method?: string }).method ?? action);
  return (await new Client(server.baseUrl).post(`/_synapse/client/${by}`, { action, ...params })).body;
}

storageCases(ask);

test("1,000 increments by ten callers at once are 1,000", async () => {
  const key = "many";
  await Promise.all(Array.from({ length: 10 }, () => ask("increment", { key, times: 100 })));
  expect((await ask("call", { method: "store.get", params: { key } })).result).toBe(1_000);
});

test("a transaction that finds the database locked is tried again", async () => {
  const statements = [
    { sql: "CREATE TABLE test_retry (n INTEGER)" },
    { sql: "INSERT INTO test_retry VALUES (1)" },
    { sql: "SELECT n FROM test_retry" },
  ];
  const lock = await lockDatabase();
  try {
    const asked = ask("call", { method: "run_db_interaction", params: { desc: "retry", statements } });
    // After five seconds of waiting for the lock, Synapse tells that it begins anew.
    await waitFor("a retry", () => /TXN OPERROR.*granted_retry.*locked/.test(server.log()), 15_000);
    lock.stdin?.end();
    expect(await asked).toMatchObject({ result: [{}, {}, { rows: [{ n: 1 }] }] });
  } finally {
    lock.kill();
  }
}, 60_000);

async function lockDatabase(): Promise<ChildProcess> {
  const program =
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], timeout=5); c.execute('BEGIN IMMEDIATE'); " +
    "print('locked', flush=True); sys.stdin.read(); c.rollback()";
  const child = spawn(venvPython(), ["-c", program, path], { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout as NodeJS.ReadableStream, "data");
  return child;
}

test("a statement that takes too long is ended and not run again, and Synapse goes on", async () => {
  const endless =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) AS n FROM n";
  const run = (...statements: object[]) =>
    ask("call", { method: "run_db_interaction", params: { desc: "endless", statements } });
  const answer = await run({ sql: "CREATE TABLE test_endless (n INTEGER)" }, { sql: endless });
  expect(answer).toMatchObject({ kind: "TransactionOver", statement: 1 });
  expect(answer.error).toContain("the transaction was rolled back: it took longer than 3000 ms");
  expect(server.log()).not.toMatch(/TXN OPERROR.*granted_endless/);
  expect((await run({ sql: "SELECT * FROM test_endless" })).error).toContain("no such table: test_endless");
  observed(96, { outcome: "rolled back, not run again" });
}, 20_000);

test("what SQLite itself refuses is told, and Synapse is refused nothing", async () => {
  const refused = async (sql: string) => {
    const params = { desc: "refused", statements: [{ sql: "CREATE TABLE test_refused (n)" }, { sql }] };
    return (await ask("call", { method: "run_db_interaction", params })).error;
  };
  expect(await refused("SELECT * FROM pragma_optimize")).toContain("the statement uses a PRAGMA");
  expect(await refused("CREATE TABLE temp.users (name TEXT)")).toContain("creates what is temporary");
  expect(await refused("SELECT * FROM test_refused; COMMIT")).toContain("2 statements in one");
  expect(await refused("SELECT * FROM test_refused_too")).toContain("no such table: test_refused_too");
  await registerUser(server, "unharmed");
  observed(95, { outcome: "refused; a registration goes through" });
});

test("a transaction with a function is refused at once: SQLite has one connection", async () => {
  const { error } = await ask("transact", { statements: [["SELECT 1"]] });
  expect(error).toContain("run_db_interaction takes `func` on PostgreSQL only");
  expect(error).toContain("use `statements`");
});

test("the store outlives Node", async () => {
  await ask("call", { method: "store.set", params: { key: "kept", value: "here" } });
  const [node] = childrenOf(server.pid);
  process.kill(node as number, "SIGKILL");
  await waitFor("another Node", () => childrenOf(server.pid).find((pid) => pid !== node));
  const get = async () => (await ask("call", { method: "store.get", params: { key: "kept" } })).result;
  expect(await waitFor("an answer", get)).toBe("here");
});

test("the store outlives Synapse", async () => {
  await server.stop();
  await start();
  const { result } = await ask("call", { method: "store.get", params: { key: "kept" } });
  expect(result).toBe("here");
}, 60_000);

test("the example that counts invites refuses those over its limit", async () => {
  const [alice, ...others] = await Promise.all(
    ["alice", "bob", "carol", "dave"].map((name) => registerUser(server, name)),
  );
  const room = (await alice?.createRoom())?.body.room_id;
  const statuses = [];
  for (const { userId } of others) statuses.push((await alice?.invite(room, userId))?.status);
  expect(statuses).toEqual([200, 200, 403]);
});

test("every method of the store and the database was called", () => {
  const { methods } = JSON.parse(readFileSync(join(projectRoot, "schemas", "api.json"), "utf8"));
  // Those that Synapse's ModuleApi lacks.
  const added = Object.keys(methods).filter((name) => methods[name].added);
  // broadcast.test.ts calls broadcast.
  const stored = added.filter((name) => name !== "broadcast");
  expect(stored.filter((name) => !called.has(name === "store.update" ? "increment" : name))).toEqual([]);
});
