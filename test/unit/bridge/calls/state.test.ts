// state_events as a handler sees them: from what was sent along, else from the shim, and not for longer than the call.
import { beforeEach, expect, test } from "@jest/globals";
import { ResponseError } from "vscode-jsonrpc/node";
import { folder, rig } from "../each-rig.js";
import { errorOf, moduleOf } from "../rig.js";
import { event } from "../samples.js";

const asked: unknown[] = [];
beforeEach(() => {
  asked.length = 0;
  rig.shim.onRequest("state/get", (params) => {
    asked.push(params);
    return [member("@carol:example.org")];
  });
  rig.shim.onRequest("state/keys", (params) => {
    asked.push(params);
    return [["m.room.create", ""]];
  });
});

const member = (user: string) => event({ type: "m.room.member", state_key: user, event_id: `$${user}` });
const power = event({ type: "m.room.power_levels", state_key: "", event_id: "$power" });

let count = 0;
async function answer(body: string, room_state?: unknown, events: object[] = []): Promise<unknown> {
  const name = `state-${count++}`;
  const text = `export default { callbacks: { check_event_allowed: {
    ${room_state ? `room_state: ${JSON.stringify(room_state)},` : ""}
    async handler({ state_events }, context) { const value = await (async () => { ${body} })(); return { content: { value: value ?? null } }; } } } };`;
  await rig.load([{ path: folder.write(`${name}.ts`, text) }]);
  const params = { event: event(), state_events: { events } };
  const { answer: given } = await rig.callback("check_event_allowed", params, [name], 17);
  return (given as { content: { value: unknown } }).content.value;
}

test("what was declared is here already, and so is that it is absent", async () => {
  const body = `return [(await state_events.get("m.room.power_levels", "")).event_id, await state_events.get("m.room.create", "") ?? "none"];`;
  expect(
    await answer(
      body,
      [
        ["m.room.power_levels", ""],
        ["m.room.create", ""],
      ],
      [power],
    ),
  ).toEqual(["$power", "none"]);
  expect(asked).toEqual([]);
});

test("null covers all state keys of a type", async () => {
  const body = `return [(await state_events.get("m.room.member", "@a:b")).event_id, (await state_events.get("m.room.member", "@z:b")) ?? "none",
    (await state_events.getMany([["m.room.member", null]])).length];`;
  expect(await answer(body, [["m.room.member", null]], [member("@a:b"), member("@c:d")])).toEqual([
    "$@a:b",
    "none",
    2,
  ]);
  expect(asked).toEqual([]);
});

test("anything else is asked for, and only that", async () => {
  const body = `return (await state_events.getMany([["m.room.power_levels", ""], ["m.room.member", null]])).map((e) => e.event_id);`;
  expect(await answer(body, [["m.room.power_levels", ""]], [power])).toEqual([
    "$power",
    "$@carol:example.org",
  ]);
  expect(asked).toEqual([{ call: 17, keys: [["m.room.member", null]] }]);
});

test("the whole state and its keys can be asked for", async () => {
  const body = "return [(await state_events.all()).length, await state_events.keys()];";
  expect(await answer(body)).toEqual([1, [["m.room.create", ""]]]);
  expect(asked).toEqual([{ call: 17, keys: null }, { call: 17 }]);
});

test("the events are frozen", async () => {
  const body = `"use strict"; const e = await state_events.get("m.room.member", "@x:y"); try { e.content.body = 1; } catch (error) { return error.name; }`;
  expect(await answer(body)).toBe("TypeError");
});

test("a wrong question is a TypeError", async () => {
  const body = "try { await state_events.get('m.room.member'); } catch (error) { return error.message; }";
  expect(await answer(body)).toBe("state_events.get: type and state_key must be strings");
});

test("an error of the shim reaches the handler", async () => {
  rig.shim.onRequest("state/get", () => {
    throw new Error("no state");
  });
  const body = "try { await state_events.all(); } catch (error) { return error.message; }";
  expect(await answer(body)).toMatch("no state");
});

test("what the shim says of a call that has ended is an ApiError", async () => {
  rig.shim.onRequest("state/get", () => {
    throw new ResponseError(-32006, "the call has ended");
  });
  const body =
    "try { await state_events.all(); } catch (e) { return [e.name, e.kind, e.method, e.message].join(); }";
  expect(await answer(body)).toBe("ApiError,call_over,state_events,state_events failed: the call has ended");
});

test("nothing is to be had after the handler has settled", async () => {
  const body = `if (kept) {
      for (const use of ["keys", "all", "get", "getMany"])
        await kept[use](use === "getMany" ? [] : "a", "b").then(
          () => { throw new TypeError(use); },
          (e) => { if (e.name + e.kind + e.method !== "ApiErrorcall_overstate_events") throw new TypeError(use); },
        );
      await kept.keys();
    }
    kept = params.state_events; return true;`;
  await rig.load([
    { path: folder.write("keep.ts", moduleOf("check_event_allowed", body, "let kept: any;")) },
  ]);
  const params = { event: event(), state_events: { events: [] } };
  expect(await rig.callback("check_event_allowed", params, ["keep"])).toMatchObject({ answer: true });
  const { message } = await errorOf(rig.callback("check_event_allowed", params, ["keep"]));
  expect(message).toMatch("state_events of check_event_allowed was used after its handler had settled");
  expect(asked).toEqual([]);
});
