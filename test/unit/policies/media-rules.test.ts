import { createHash } from "node:crypto";
import { expect, test } from "@jest/globals";
import { createTester } from "synapse-module-bridge/testing";
import policy from "../../../examples/policies/media-rules.js";

const file_info = { server_name: null, file_id: "abc", url_cache: false, thumbnail: null };
const file = (latin1: string) => Buffer.from(latin1.padEnd(100, " "), "latin1");

test.each([
  ["program", "MZ\x90\0"],
  ["program", "\x7fELF\x02"],
  ["program", "#!/bin/sh\n"],
  ["image", "\x89PNG\r\n\x1a\n"],
  ["image", "\xff\xd8\xff\xe0"],
  ["image", "RIFF\x24\0\0\0WEBPVP8 "],
  ["image", "\0\0\0\x20ftypavif"],
  ["audio", "OggS\0"],
  ["audio", "RIFF\x24\0\0\0WAVEfmt "],
  ["video", "\0\0\0\x20ftypisom"],
  ["video", "\x1a\x45\xdf\xa3\x01"],
  ["document", "%PDF-1.7"],
  ["archive", "PK\x03\x04\x14"],
  ["unknown", "hello"],
  ["unknown", ""],
] as const)("%s is what begins with %j", async (kind, beginning) => {
  const all = ["image", "audio", "video", "document", "archive", "program", "unknown"] as const;
  const bytes = beginning === "" ? Buffer.alloc(0) : file(beginning);
  await using only = await createTester(policy, { config: { refuse: [kind] } });
  const ask = { file_wrapper: bytes, file_info };
  expect(await only.ask("check_media_file_for_spam", ask)).toMatchObject({ outcome: "refused" });
  await using others = await createTester(policy, { config: { refuse: all.filter((one) => one !== kind) } });
  expect(await others.ask("check_media_file_for_spam", ask)).toMatchObject({ outcome: "allowed" });
});

test("a file is refused by its hash, whoever it comes from", async () => {
  const bytes = Buffer.alloc(300_000, "spam");
  const hash = createHash("sha256").update(bytes).digest("hex").toUpperCase();
  await using t = await createTester(policy, { config: { refused_hashes: [hash] } });
  const ask = (file_wrapper: Buffer, server_name: string | null) =>
    t.ask("check_media_file_for_spam", { file_wrapper, file_info: { ...file_info, server_name } });
  expect(await ask(bytes, null)).toMatchObject({ outcome: "refused" });
  expect(await ask(bytes, "remote.org")).toMatchObject({ outcome: "refused" });
  expect(await ask(bytes.subarray(1), null)).toMatchObject({ outcome: "allowed" });
});

test("pictures of URL previews cost no call, and thumbnails pass", async () => {
  await using t = await createTester(policy, {});
  const ask = (info: object) =>
    t.ask("check_media_file_for_spam", { file_wrapper: "MZ", file_info: { ...file_info, ...info } });
  expect(await ask({ url_cache: true })).toEqual({ asked: false, why: "match" });
  const thumbnail = { width: 32, height: 32, method: "crop", type: "image/png", length: 2 };
  expect(await ask({ thumbnail })).toMatchObject({ outcome: "allowed" });
  expect(await ask({})).toMatchObject({ outcome: "refused" });
});
