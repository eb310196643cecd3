// What a module says about its answers, and what it does before it goes, on a real Synapse.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { startSynapse, type TestSynapse } from "synapse-module-bridge/testing/synapse";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { cacheWithVenv } from "../../support/prepared-venv.js";
import { temporaryFolder } from "../../support/temporary-folder.js";

const folder = temporaryFolder();
// The log is gone with the server.
const closed = folder.path("closed");
const policy = (version: number) => `
import { appendFileSync } from "node:fs";
import { Codes, contentOf, defineModule, NOT_SPAM, SynapseError } from "synapse-module-bridge";
export default defineModule({
  setup: () => ({ version: ${version} }),
  callbacks: {
    user_may_invite({ invitee }, { reason }) {
      reason("an invite to\\nx.org", { host: "x.org" });
      return invitee.endsWith(":x.org") ? Codes.FORBIDDEN : NOT_SPAM;
    },
    user_may_create_room(_, { reason }) {
      reason("no more rooms");
      throw new SynapseError(429, "Too many rooms");
    },
    check_event_for_spam: ({ event }) => (contentOf(event, "m.room.message")?.body === "spam" ? Codes.FORBIDDEN : NOT_SPAM),
  },
  close({ data, log }) {
    log.info("version " + data.version + " goes");
    appendFileSync(${JSON.stringify(closed)}, data.version + "\\n");
  },
});
`;
const path = folder.write("policy.ts", policy(1));
folder.write("package.json", '{ "type": "module" }');
const other = folder.write("isolated.ts", policy(3));
let hs: TestSynapse;

beforeAll(async () => {
  process.env.XDG_CACHE_HOME = cacheWithVenv();
  hs = await startSynapse({ modules: [{ path }, { path: other, isolated: true }] });
}, 150_000);
afterAll(async () => {
  await hs?.close();
  folder.remove();
});

test("the reason of a refusal is in its decision, on one line, and no client sees it", async () => {
  const alice = await hs.user("alice");
  const refusal = await alice.createRoom().catch((error: Error) => error);
  expect(refusal).toMatchObject({ status: 429 });
  expect(JSON.stringify(refusal)).not.toContain("no more rooms");
  const [decision] = await hs.decisions({ callback: "user_may_create_room", atLeast: 1 });
  expect(decision).toMatchObject({ module: "policy", outcome: "error", reason: "no more rooms" });
});

test("a module closes at a reload and when Synapse stops, in its own thread, too", async () => {
  folder.write("policy.ts", policy(2));
  expect(await hs.reload()).toBe(true);
  const lines = () =>
    hs
      .logs()
      .split("\n")
      .flatMap((line) => /version \d goes/.exec(line)?.[0] ?? []);
  await waitFor("both to close", () => lines().length === 2);
  expect(lines().sort()).toEqual(["version 1 goes", "version 3 goes"]);
  await hs.close();
  expect(readFileSync(closed, "utf8").trim().split("\n").sort()).toEqual(["1", "2", "3", "3"]);
});
