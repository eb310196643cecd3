import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { startSynapse, type TestSynapse } from "synapse-module-bridge/testing/synapse";
import { cacheWithVenv } from "../../support/prepared-venv.js";

let hs: TestSynapse;

const text = "a file that is known to be bad";

beforeAll(async () => {
  process.env.XDG_CACHE_HOME = cacheWithVenv();
  const refused_hashes = [createHash("sha256").update(text).digest("hex")];
  hs = await startSynapse({
    modules: [{ path: "examples/policies/media-rules.ts", config: { refused_hashes } }],
    servers: 2,
  });
}, 150_000);
afterAll(() => hs?.close());

const program = Buffer.from("MZ\x90\0 and more", "latin1");

test("uploads of programs and of bad files are refused, whatever they claim to be", async () => {
  const alice = await hs.user("alice");
  await expect(alice.upload(program, "image/png")).rejects.toMatchObject({ status: 400 });
  await expect(alice.upload(text)).rejects.toMatchObject({ status: 400 });
  expect(Buffer.from(await alice.download(await alice.upload("hello"))).toString()).toBe("hello");
  expect(await hs.decisions({ callback: "check_media_file_for_spam" })).toMatchObject([
    { outcome: "refused", reason: "a kind of file that is refused" },
    { outcome: "refused", reason: "a file whose hash is refused" },
  ]);
});

test("files of other servers are refused, too", async () => {
  const [alice, remote] = [await hs.user("alice"), await hs.peers[0]?.user("remote")];
  if (!remote) throw new Error("there is no peer");
  const [bad, good] = [await remote.upload(program), await remote.upload("hello")];
  await expect(alice.download(bad)).rejects.toMatchObject({ status: 404 });
  expect(Buffer.from(await alice.download(good)).toString()).toBe("hello");
});
