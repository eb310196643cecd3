// The builders make events that Synapse itself takes, in each room version.
import { execFileSync } from "node:child_process";
import { expect, test } from "@jest/globals";
import { event } from "synapse-module-bridge/testing";
import { catalogue } from "../../../../bridge/catalogue/catalogue.js";
import { venvPython } from "../../../support/paths.js";

const A = "@a:example.org";
const VERSIONS = ["1", "2", "3", "6", "9", "10", "11", "12"];

const builders: Record<string, (room: { room_version: string; room_id: string }) => object> = {
  create: ({ room_version }) => event.create({ room_version }),
  join: (room) => event.member(A, "join", room),
  invite: (room) => event.member("@b:example.org", "invite", { ...room, sender: A }),
  ban: (room) => event.member("@b:example.org", "ban", room),
  message: (room) => event.message(A, "hello", room),
  "message of another type": (room) =>
    event.message(A, { msgtype: "m.image", body: "x", url: "mxc://example.org/x" }, room),
  encrypted: (room) => event.encrypted(A, room),
  reaction: (room) => event.reaction(A, "$x", "👍", room),
  redaction: (room) => event.redaction(A, "$x", room),
  powerLevels: (room) => event.powerLevels({ events_default: 10 }, room),
  joinRules: (room) => event.joinRules("restricted", ["!other:example.org"], room),
  name: (room) => event.name("x", room),
  topic: (room) => event.topic("x", room),
  avatar: (room) => event.avatar("mxc://example.org/x", room),
  canonicalAlias: (room) => event.canonicalAlias("#x:example.org", room),
  historyVisibility: (room) => event.historyVisibility("shared", room),
  guestAccess: (room) => event.guestAccess("forbidden", room),
  encryption: (room) => event.encryption(room),
  serverAcl: (room) => event.serverAcl({ deny: ["evil.org"] }, room),
  tombstone: (room) => event.tombstone("!next:example.org", room),
  pinnedEvents: (room) => event.pinnedEvents(["$x"], room),
  policyRule: (room) => event.policyRule("user", "@spam:*", "m.ban", room),
  state: (room) => event.state("org.example.x", "key", { a: 1 }, room),
  of: (room) => event.of("org.example.y", A, { a: 1 }, room),
};

/** Lets Synapse check PDUs as those of its own users. */
const CHECK = `
import json, sys
from types import SimpleNamespace
from synapse.api.room_versions import KNOWN_ROOM_VERSIONS
from synapse.events import make_event_from_dict
from synapse.events.validator import EventValidator
retention = SimpleNamespace(retention_allowed_lifetime_min=None, retention_allowed_lifetime_max=None)
config = SimpleNamespace(retention=retention, server=SimpleNamespace(server_name="example.org"))
def check(pdu, version):
    try:
        EventValidator().validate_new(make_event_from_dict(pdu, KNOWN_ROOM_VERSIONS[version]), config)
    except Exception as e:
        return repr(e)
print(json.dumps([check(*one) for one in json.load(sys.stdin)]))
`;

test("Synapse takes what they build, in each room version", () => {
  const cases = VERSIONS.flatMap((room_version) => {
    const room_id = room_version === "12" ? `!${"a".repeat(43)}` : "!r:example.org";
    return Object.entries(builders).map(([name, build]) => ({
      name: `${name} in ${room_version}`,
      event: build({ room_version, room_id }) as Record<string, unknown>,
    }));
  });
  const pdus = cases.map(({ event: built }) => {
    const { event_id, room_id, room_version, internal_metadata: _, ...pdu } = built;
    const [isOld, isFirst] = [["1", "2"].includes(String(room_version)), pdu.type === "m.room.create"];
    const named = room_version === "12" && isFirst ? {} : { room_id };
    return [{ ...pdu, ...named, ...(isOld && { event_id }) }, room_version];
  });
  const output = execFileSync(venvPython(), ["-c", CHECK], { input: JSON.stringify(pdus) });
  const problems: (string | null)[] = JSON.parse(output.toString());
  expect(cases.map(({ name }, i) => [name, problems[i]])).toEqual(cases.map(({ name }) => [name, null]));
  const validate = catalogue().validator("Event");
  for (const { name, event: built } of cases) expect([name, validate(built)]).toEqual([name, true]);
});

test("what differs between room versions is as each has it", () => {
  const create = (room_version: string) => event.create({ room_version, sender: A });
  expect(create("10").content).toEqual({ creator: A, room_version: "10" });
  expect(create("11").content).toEqual({ room_version: "11" });
  const { room_id, event_id } = create("12");
  expect(room_id).toBe(`!${event_id.slice(1)}`);
  expect(create("1").event_id).toMatch(/^\$[0-9a-f]+:example\.org$/);
  expect(create("4").event_id).toMatch(/^\$[\w-]{43}$/);
  expect(event.redaction(A, "$x", { room_version: "10" })).toMatchObject({ redacts: "$x", content: {} });
  expect(event.redaction(A, "$x", { room_version: "11" }).content).toEqual({ redacts: "$x" });
  const levels = (room_version: string) => event.powerLevels({}, { room_version, sender: A }).content.users;
  expect([levels("11"), levels("12")]).toEqual([{ [A]: 100 }, {}]);
});

test("each event has an id of its own, and what the test writes stays", () => {
  const [one, other] = [event.message(A, "x"), event.message(A, "x")];
  expect(one.event_id).not.toBe(other.event_id);
  const written = {
    event_id: "$x",
    origin_server_ts: 7,
    content: { more: 1 },
    unsigned: { age: 1 },
  } as const;
  expect(event.name("x", written)).toMatchObject({ ...written, content: { name: "x", more: 1 } });
});
