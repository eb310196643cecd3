// Callbacks that Synapse would not take from these modules as they are: all of it is found at start.
import { expect, test } from "@jest/globals";
import { faultsOf, folder, load } from "../loading.js";

const declaring = (...names: string[]) =>
  `export default { callbacks: { ${names.map((name) => `${name}() {}`).join(", ")} } };`;
const write = (name: string, ...callbacks: string[]) => ({
  path: folder.write(`${name}.ts`, declaring(...callbacks)),
});

test("two modules with one that Synapse takes once", async () => {
  const { faults } = await load(
    write("one", "on_legacy_renew", "is_user_expired"),
    write("two", "on_legacy_renew", "on_legacy_send_mail", "is_user_expired"),
  );
  expect(faults).toEqual([
    {
      path: ["modules", 1, "path"],
      message: "two and one both implement on_legacy_renew: Synapse takes one for all modules",
    },
  ]);
});

test("half of a pair", async () => {
  expect(await faultsOf("half.ts", declaring("get_interested_users"))).toEqual([
    "modules.0.path: half implements get_interested_users without get_users_for_states: Synapse takes both or neither",
  ]);
  const { faults } = await load(
    write("pair", "get_users_for_states", "get_interested_users"),
    write("other-pair", "get_users_for_states", "get_interested_users"),
  );
  expect(faults).toEqual([]);
});

test("a shadow module, and a match, where nobody else would answer", async () => {
  expect(await faultsOf("shadow.ts", declaring("on_legacy_renew"), { mode: "shadow" })).toEqual([
    "modules.0.path: shadow is a shadow module and implements on_legacy_renew: Synapse would ask no other module, so nobody would answer",
  ]);
  const matched =
    "export default { callbacks: { on_legacy_renew: { match: { renewal_token: ['a*'] }, handler() {} } } };";
  expect(await faultsOf("matched.ts", matched)).toEqual([
    "modules.0.path: matched.ts: callbacks.on_legacy_renew.match: Synapse asks no other module, so that this one must answer every call",
  ]);
});

test("a match on the events of a delivery, of which only the ids travel", async () => {
  const matching = (key: string) =>
    `export default { callbacks: { on_event_delivered_over_federation: { match: { "${key}": ["*"] }, handler() {} } } };`;
  expect(await faultsOf("delivered.ts", matching("event.server_name"))).toEqual([]);
  expect(await faultsOf("sent.ts", matching("sender"))).toEqual([
    `modules.0.path: sent.ts: callbacks.on_event_delivered_over_federation.match["sender"]: on_event_delivered_over_federation has no parameter sender; it has event`,
  ]);
});
