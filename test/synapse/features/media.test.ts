// Media files on a Synapse that federates: with a `ttl`, a module is asked once about each that is equal.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { bridge } from "../../support/bridge.js";
import { makeCertificates } from "../../support/certificates.js";
import { type Client, registerUser } from "../../support/client.js";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { modulePath } from "./module-path.js";

const folder = temporaryFolder();
const log = folder.path("asked");
const certificates = makeCertificates();
let near: Homeserver;
let far: Homeserver;
let alice: Client;
let bob: Client;

beforeAll(async () => {
  const modules = [bridge({ modules: [{ path: modulePath("media-scanner.ts"), config: { log } }] })];
  [near, far] = await Promise.all([
    startHomeserver({ modules, federation: certificates }),
    startHomeserver({ federation: certificates }),
  ]);
  [alice, bob] = [await registerUser(near, "alice"), await registerUser(far, "bob")];
}, 90_000);

afterAll(async () => {
  await Promise.all([near?.stop(), far?.stop()]);
  folder.remove();
  certificates.remove();
});

beforeEach(() => rmSync(log, { force: true }));

const asked = () => (existsSync(log) ? readFileSync(log, "utf8").split("\n").slice(0, -1) : []);
const theirs = async (text: string) => (await bob.upload(text)).body.content_uri;
const status = async (uri: string) => (await alice.download(uri)).status;

test("a file of another server that was refused is fetched again, and not judged again", async () => {
  const uri = await theirs("spam");
  const first = await status(uri);
  expect(first).toBeGreaterThanOrEqual(400);
  for (let n = 0; n < 3; n++) expect(await status(uri)).toBe(first);
  // Another upload of the same.
  expect(await status(await theirs("spam"))).toBe(first);
  expect(asked()).toEqual([`${far.serverName} spam`]);
});

test("files that differ are judged each", async () => {
  expect(await status(await theirs("harmless"))).toBe(200);
  expect(await status(await theirs("harmless too"))).toBe(200);
  expect(asked()).toEqual([`${far.serverName} harmless`, `${far.serverName} harmless too`]);
});

test("the same file is judged once for each server that it comes from", async () => {
  await status(await theirs("same"));
  expect((await alice.upload("same")).status).toBe(200);
  expect((await alice.upload("same")).status).toBe(200);
  expect(asked()).toEqual([`${far.serverName} same`, "ours same"]);
});
