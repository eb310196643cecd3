// The admin API where a service has the access tokens: the scope of a token says who is an admin.
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { adminPath, ask, raw } from "../../support/admin-api.js";
import { type AuthService, startAuthService } from "../../support/auth-service.js";
import { bridge, shim } from "../../support/bridge.js";
import type { Client } from "../../support/client.js";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { temporaryFolder } from "../../support/temporary-folder.js";

const folder = temporaryFolder();
const path = folder.write("policy.mjs", "export default { callbacks: {} };\n");
let service: AuthService;
let hs: Homeserver;

beforeAll(async () => {
  service = await startAuthService();
  hs = await startHomeserver({
    modules: [bridge({ modules: [{ path }], workers: ["elsewhere"] })],
    extraConfig: service.config,
    pythonPath: [shim],
  });
}, 60_000);
afterAll(async () => {
  await hs?.stop();
  await service?.close();
  folder.remove();
});

const adminScope = "urn:synapse:admin:*";
const answers = ({ accessToken }: Pick<Client, "accessToken">) =>
  Promise.all(
    [adminPath, "/_synapse/client/none"].map((at) =>
      raw(hs.baseUrl, "GET", `${at}/status`, { Authorization: `Bearer ${accessToken}` }),
    ),
  );

test("a token with the admin's scope is an admin's", async () => {
  const admin = await service.user(hs.baseUrl, "alice", adminScope);
  expect(await ask(admin, "GET status")).toMatchObject({ modules: [{ name: "policy" }] });
});

test("for a token without it, the API is not there", async () => {
  // Also where another token of the same user has it.
  const [there, unknown] = await answers(await service.user(hs.baseUrl, "alice"));
  expect(there).toBe(unknown);
});

test("for a token that is not valid, it is not there", async () => {
  const admin = await service.user(hs.baseUrl, "carol", adminScope);
  service.revoke(admin);
  const [there, unknown] = await answers(admin);
  expect(there).toBe(unknown);
});

test("for the service's own secret, it is not there", async () => {
  const [there, unknown] = await answers({ accessToken: service.secret });
  expect(there).toBe(unknown);
});

test("while the service cannot be asked, it is there for nobody", async () => {
  const admin = await service.user(hs.baseUrl, "dora", adminScope);
  await service.close();
  const [there, unknown] = await answers(admin);
  expect(there).toBe(unknown);
});
