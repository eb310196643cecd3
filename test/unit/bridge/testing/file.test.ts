// A module from a file is loaded as in production, in a process of its own: what it does there, the test sees as if it were
// here.
import { afterAll, afterEach, expect, test } from "@jest/globals";
import { isSynapseError } from "synapse-module-bridge";
import { createTester, event, type Tester, type TesterOptions } from "synapse-module-bridge/testing";
import { temporaryFolder } from "../../../support/temporary-folder.js";

const folder = temporaryFolder();
const open: Tester[] = [];
afterEach(() => Promise.all(open.splice(0).map((t) => t.close().catch(() => {}))));
afterAll(() => folder.remove());

const module = `import { spawn } from "node:child_process";
import { writeSync } from "node:fs";
import { Codes, NOT_SPAM, SynapseError, defineModule } from "synapse-module-bridge";
export default defineModule({
  grants: ["store", "broadcast"],
  broadcasts: { spin: () => { for (;;); } },
  setup: ({ api, log }) => log.info("in setup of " + api.server_name),
  callbacks: {
    async user_may_create_room({ user_id }, { api }) {
      switch (user_id) {
        case "@throws:example.org": throw new RangeError("boom");
        case "@refused:example.org": throw new SynapseError(418, "tea", "ORG_TEA", { a: 1 });
        case "@hangs:example.org": await new Promise(() => {}); break;
        case "@loops:example.org": for (;;);
        case "@exits:example.org": process.exit(3);
        case "@spins:example.org": await api.broadcast({ topic: "spin", value: 1 }); break;
        case "@torn:example.org": writeSync(3, '{"log":{"msg":"half of'); process.kill(process.pid, "SIGKILL"); break;
        case "@env:example.org": throw new Error("[" + Object.keys(process.env).join() + "]");
        case "@leaves:example.org": throw new Error(String(spawn("sleep", ["60"], { stdio: "inherit" }).pid));
        case "@prints:example.org": console.log("printed"); return NOT_SPAM;
        case "@counts:example.org": await api.store.update({ key: "n", update: (n: any = 0) => n + 1, ttl: "1h" });
      }
      return api.get_current_time_msec() === 7 ? NOT_SPAM : Codes.FORBIDDEN;
    },
    auth_checkers: [{ login_type: "a", fields: ["b"], handler: ({ login_dict }: any) => login_dict.c ?? null }],
    on_new_event() { throw new RangeError("untold"); },
    is_user_expired: { ttl: "1m", handler: () => VALUE },
  },
});
`;

async function testerOf(options: TesterOptions = {}): Promise<Tester> {
  const file = folder.write("policy.ts", module.replace("VALUE", "true"));
  const t: Tester = await createTester(file, options);
  open.push(t);
  return t;
}

const ask = (t: Tester, name: string) => t.ask("user_may_create_room", { user_id: `@${name}:example.org` });

test("a module from a file has the api, the clock and the store of the test", async () => {
  const t = await testerOf({ now: 7 });
  expect(await ask(t, "a")).toEqual({ asked: true, outcome: "allowed", answer: "NOT_SPAM" });
  await ask(t, "counts");
  expect(t.store.entries()).toEqual([{ key: "n", value: 1 }]);
  expect(t.logs).toContainEqual(
    expect.objectContaining({ msg: "in setup of example.org", module: "policy" }),
  );
  t.advance(1);
  expect(await ask(t, "a")).toEqual({ asked: true, outcome: "refused", answer: "M_FORBIDDEN" });
  expect((await ask(t, "prints")).outcome).toBe("allowed");
});

test("what it has started and left running keeps no test waiting", async () => {
  const t = await testerOf();
  const left = Number(await ask(t, "leaves").catch(({ message }) => message));
  try {
    const began = performance.now();
    await t.close();
    expect(performance.now() - began).toBeLessThan(10_000);
  } finally {
    process.kill(left, "SIGKILL");
  }
}, 20_000);

test("what it throws about a notification is the error here, too", async () => {
  const t = await testerOf();
  const told = { event: event.topic("tea", { room_id: "!r:example.org" }) };
  const thrown = await t.ask("on_new_event", told).catch((error) => error);
  expect([thrown.name, thrown.message]).toEqual(["RangeError", "untold"]);
});

test("what it throws is the error here, with the line of the file", async () => {
  const t = await testerOf();
  const thrown = await ask(t, "throws").catch((error) => error);
  expect(thrown).toBeInstanceOf(RangeError);
  expect(thrown.message).toBe("boom");
  expect(thrown.stack).toMatch(/policy\.ts:11:/);
  const { outcome, error } = await ask(t, "refused");
  expect(isSynapseError(error)).toBe(true);
  expect({ outcome, ...error }).toMatchObject({ outcome: "refused", code: 418, errcode: "ORG_TEA" });
  const login = t.ask("auth_checkers", { username: "a", login_type: "a", login_dict: { b: "x" } });
  await expect(login).rejects.toThrow("login_dict.c is not among the fields");
});

test("one that hangs misses its deadline, also if it blocks its process", async () => {
  const t = await testerOf({ timeout: 100 });
  await expect(ask(t, "hangs")).rejects.toThrow("policy: user_may_create_room: no answer within 100ms");
  await expect(ask(t, "loops")).rejects.toThrow("policy: user_may_create_room: no answer within 100ms");
});

test("a broadcast's handler that blocks its process is not waited for without end", async () => {
  const t = await testerOf({ timeout: 100 });
  await expect(ask(t, "spins")).rejects.toThrow("policy: user_may_create_room: no answer within 100ms");
});

test("one that ends its process is named", async () => {
  const t = await testerOf();
  await expect(ask(t, "exits")).rejects.toThrow(
    "the module's process has ended: policy: it called process.exit",
  );
});

test("one that is killed while it writes a record ends no more than itself", async () => {
  const t = await testerOf();
  await expect(ask(t, "torn")).rejects.toThrow("the module's process has ended");
});

test("it gets nothing of this process's environment, as in production", async () => {
  const t = await testerOf();
  await expect(ask(t, "env")).rejects.toThrow("[]");
});

test("many testers listen to the end of this process as one", async () => {
  const counts = () => ["exit", "SIGINT"].map((event) => process.listenerCount(event));
  const before = counts();
  const [one, two] = [await testerOf(), await testerOf()];
  expect(counts()).toEqual(before.map((count) => count + 1));
  await Promise.all([one.close(), two.close()]);
  expect(counts()).toEqual(before);
});

test("reload takes the file as it is now, and keeps the old one if that cannot be loaded", async () => {
  const t = await testerOf();
  const expired = async () => (await t.ask("is_user_expired", { user_id: "@a:example.org" })).answer;
  expect(await expired()).toBe(true);
  folder.write("policy.ts", module.replace("VALUE", "false"));
  expect(await expired()).toBe(true);
  await t.reload();
  expect(await expired()).toBe(false);
  folder.write("policy.ts", "export default {");
  await expect(t.reload()).rejects.toThrow("policy.ts");
  expect((await ask(t, "a")).asked).toBe(true);
});

test("a chain may mix files and imported modules, and is asked in order", async () => {
  const file = folder.write("policy.ts", module.replace("VALUE", "null"));
  const here = { callbacks: { user_may_create_room: () => "NOT_SPAM", is_user_expired: () => false } };
  const t: Tester = await createTester([here, file, { name: "last", module: here }]);
  open.push(t);
  expect(await ask(t, "a")).toMatchObject({ outcome: "refused", answer: "M_FORBIDDEN" });
});

test("what is wrong with a file is told as at Synapse's start", async () => {
  await expect(createTester("does-not-exist.ts")).rejects.toThrow(
    /there is no file or folder .*does-not-exist\.ts/,
  );
});
