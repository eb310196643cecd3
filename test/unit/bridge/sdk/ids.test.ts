// Whether a string is an id: the same answers as Synapse's own classes give.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { isEventId, isRoomAlias, isRoomId, isUserId } from "../../../../bridge/sdk/ids.js";
import { venvPython } from "../../../support/paths.js";

const HASH = "a".repeat(43);
const SERVERS = [
  ...[
    "example.org",
    "example.org:8448",
    "a",
    "A-b.c",
    "1.2.3.4",
    "1.2.3.4:1",
    "[::1]",
    "[::1]:8448",
    "[1:2::3]",
  ],
  ...[
    "",
    ":",
    ".",
    "a.",
    ".a",
    "a..b",
    "ä.org",
    "a_b",
    "a b",
    "a:",
    "a:b",
    "a:1:2",
    "a:-1",
    "a:+1",
    "a: 1",
    "a:1 ",
  ],
  ...[
    "a:1_0",
    "a:_1",
    "a:1__0",
    "a:٣",
    "a:１",
    "a:²",
    "a:\u001c1",
    "a:\ufeff1",
    "a\n",
    "a:1\n",
    "[::1",
    "::1]",
    "[]",
  ],
  ...[
    "[::1]x",
    "[g::]",
    "[::ffff:1.2.3.4]",
    "[1.2.3.4]",
    "[fe80::1%eth0]",
    `a:${"1".repeat(4300)}`,
    `a:${"1".repeat(4301)}`,
    "a:\u00851\u2003",
    "a:1\u00852",
    "[::1]:",
    "[::1]:x",
    "]",
    "[",
    "[:]]",
  ],
];
const LOCALPARTS = ["alice", "", "A", "ä", "a b", "!", "@", "a/b=c", "\n", "💥", "a".repeat(300)];
const WHOLE = [
  ...[
    "",
    "@",
    "@a",
    "a:b",
    "@:",
    ":b",
    `!${HASH}`,
    `!${HASH}\n`,
    `!${HASH}a`,
    `!${HASH.slice(1)}`,
    `!${HASH.slice(1)}+`,
  ],
  ...[`$${HASH}:x`, `#${HASH}`, `!${HASH}:b`, "!!:b", "＠a:b", "@a：b"],
];

const strings = [
  ...WHOLE,
  ...["@", "!", "#", "$", "x"].flatMap((sigil) => [
    ...SERVERS.map((server) => `${sigil}a:${server}`),
    ...LOCALPARTS.map((localpart) => `${sigil}${localpart}:example.org`),
  ]),
  // The same in each run, so that Python is asked once.
  ...fc
    .sample(
      fc.tuple(
        fc.constantFrom("@", "!", "#", "$"),
        fc.string({ unit: fc.constantFrom(..."aZ09-_.:[]%+ \n\u00e4\u0663\u2028".split("")), maxLength: 12 }),
      ),
      { numRuns: 2_000, seed: 1 },
    )
    .map(([sigil, rest]) => `${sigil}a:${rest}`),
];

const ASK = `import json, sys
from synapse.types import EventID, RoomAlias, RoomID, UserID
print(json.dumps([[cls.is_valid(text) for cls in (UserID, RoomID, EventID, RoomAlias)] for text in json.loads(sys.argv[1])]))`;

let asked: boolean[][] = [];

beforeAll(async () => {
  const { stdout } = await promisify(execFile)(venvPython(), ["-c", ASK, JSON.stringify(strings)]);
  asked = JSON.parse(stdout);
}, 30_000);

describe.each([
  { name: "isUserId", is: isUserId, column: 0 },
  { name: "isRoomId", is: isRoomId, column: 1 },
  { name: "isEventId", is: isEventId, column: 2 },
  { name: "isRoomAlias", is: isRoomAlias, column: 3 },
])("$name", ({ is, column }) => {
  test("answers as Synapse does", () => {
    const wrong = strings.filter((text, index) => is(text) !== asked[index]?.[column]);
    expect(wrong).toEqual([]);
  });

  test("knows both ids and other strings", () => {
    expect(new Set(asked.map((answers) => answers[column]))).toEqual(new Set([true, false]));
  });

  test.each([undefined, null, 1, ["@a:b"], { length: 1 }])("refuses what is no string: %j", (value) => {
    expect(is(value)).toBe(false);
  });
});

test("a long id takes no long time", () => {
  const started = performance.now();
  for (const part of [" ", "1_", "a.", ":", "[", "\u0085"]) isUserId(`@a:b:${part.repeat(50_000)}x`);
  expect(performance.now() - started).toBeLessThan(500);
});

test("isEventId also takes the hashes of room version 3 and later, which Synapse's class does not", () => {
  for (const hash of [HASH, `${HASH.slice(2)}-_`, `${HASH.slice(2)}+/`])
    expect(isEventId(`$${hash}`)).toBe(true);
  for (const other of ["", "a", `${HASH}a`, `${HASH.slice(1)}=`, `${HASH}\n`])
    expect(isEventId(`$${other}`)).toBe(false);
});
