// Logins by a module on a real Synapse: what becomes of them when Node ends meanwhile, and where passwords do not go.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge } from "../../support/bridge.js";
import { Client, registerUser, signedIn } from "../../support/client.js";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { modulePath } from "./module-path.js";

const CANARY = "canary7f3a";
let server: Homeserver;
let anonymous: Client;
let tokens: string[];

beforeAll(async () => {
  server = await startHomeserver({
    modules: [bridge({ modules: [{ path: modulePath("secretive.ts") }] })],
    logLevels: { root: "DEBUG" },
  });
  await registerUser(server, "alice");
  anonymous = new Client(server.baseUrl);
  tokens = [];
}, 90_000);

afterAll(async () => {
  await server?.stop();
});

async function logIn(now: string, later = "") {
  const answer = await anonymous.login("alice", `${now} ${later} ${CANARY}`);
  if (answer.body.access_token) tokens.push(answer.body.access_token);
  return answer;
}

const done = (later: string) => ({ status: 200, body: { "org.example.done": later } });

test("a module logs in, and edits the response", async () => {
  const answer = await logIn("ok", "fine");
  expect(answer).toMatchObject(done("fine"));
  expect((await signedIn(server, answer.body).whoami()).body.user_id).toBe(`@alice:${server.serverName}`);
});

describe("whom a module may log in:", () => {
  /** What became of it, and what the log says of it since. */
  async function logInAs(word: string) {
    const before = server.log().length;
    const answer = await anonymous.login("alice", word);
    return { status: answer.status, error: answer.body.error, log: server.log().slice(before) };
  }

  test.each([
    ["nobody", "as:", "something that is not the full id of a user of this server, such as @alice:"],
    ["a localpart", "as:alice", "something that is not the full id of a user of this server"],
    ["a user without a name", "as:@:SERVER", "something that is not the full id of a user of this server"],
    [
      "a user of another server",
      "as:@alice:elsewhere",
      "something that is not the full id of a user of this server",
    ],
    ["a room", "as:!alice:SERVER", "something that is not the full id of a user of this server"],
    [
      "a user that does not exist",
      "as:@nobody:SERVER",
      "a user that does not exist: register the user first",
    ],
    ["a user in another case", "as:@ALICE:SERVER", "a user whose id is written in another case"],
  ])("not %s: that is a fault of the module's, which is named", async (_title, word, said) => {
    const { status, error, log } = await logInAs(word.replace("SERVER", server.serverName));
    expect([status, error]).toEqual([403, "Invalid username or password"]);
    expect(log).toMatch(new RegExp(`ERROR synapse_module_bridge.module.secretive .* answered with ${said}`));
    expect(log).toMatch(/callback=auth_checkers module=secretive outcome=fault/);
  });

  test("what it leaves to the next is on record", async () => {
    const { status, log } = await logInAs("none");
    expect(status).toBe(403);
    expect(log).toMatch(/INFO .*callback=auth_checkers module=secretive outcome=left/);
  });
});

describe("a login fails", () => {
  test.each([
    ["throw", "", 403],
    ["refuse", "", 403],
    ["bare", "", 403],
    ["none", "", 403],
    ["ok", "throw", 500],
    ["ok", "refuse", 403],
    ["ok", "json", 500],
  ])("where the module does: %s, and then: %s", async (now, later, status) => {
    expect((await logIn(now, later)).status).toBe(status);
  });
});

test("a login succeeds where Node ends before it is asked for more, which is counted", async () => {
  const answer = await logIn("ok", "end");
  expect(answer.status).toBe(200);
  expect(answer.body["org.example.done"]).toBeUndefined();
  const all = server.log();
  expect(all).toMatch(
    /callback=auth_checkers module=secretive outcome=policy answer=allow reason='follow-up: (gone|down)'/,
  );
  await waitFor("Node to be back", async () => (await logIn("ok", "back")).body["org.example.done"], 10_000);
});

test("equal questions are asked once", async () => {
  for (const name of ["hidden1", "hidden2"]) await registerUser(server, name);
  const bob = await registerUser(server, "bob");
  const search = async () => (await bob.searchUsers("hidden")).body.results;
  const searches = async () => (await anonymous.get("/_synapse/client/searches")).body;
  // The directory takes in new users a little later.
  const bothAskedAbout = async () => {
    await search();
    return (await searches()) === 2;
  };
  await waitFor("both to be asked about", bothAskedAbout, 10_000);
  for (let i = 0; i < 5; i++) expect(await search()).toEqual([]);
  expect(await searches()).toBe(2);
});

test("no password, and no access token, is in the log at any level", async () => {
  const all = server.log() + server.stdout() + server.stderr();
  expect(all).toContain("auth_checkers");
  // Synapse itself logs what its database is asked.
  const lines = all.split("\n").filter((line) => !/ DEBUG synapse\.storage\./.test(line));
  const leaks = lines.filter((line) => [CANARY, ...tokens].some((secret) => line.includes(secret)));
  expect(tokens.length).toBeGreaterThan(1);
  expect(leaks.slice(0, 5)).toEqual([]);
});
