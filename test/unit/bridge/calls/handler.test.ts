// What a handler gets, and what becomes of a call that is cancelled.
import { describe, expect, test } from "@jest/globals";
import { type CancellationToken, CancellationTokenSource } from "vscode-jsonrpc/node";
import { waitFor } from "../../../../bridge/testing/synapse/wait.js";
import { Cancellation, untilAborted } from "../../../../bridge/transport/cancellation.js";
import { folder, rig } from "../each-rig.js";
import { errorOf, moduleOf } from "../rig.js";
import { event, INVITE } from "../samples.js";
import { load } from "./chain.js";

describe("a handler gets", () => {
  test("frozen parameters", async () => {
    const names = await load(
      "check_event_for_spam",
      "'use strict'; try { params.event.content.deep.list.push(1); } catch (e) { return e.name; } return 'changed';",
    );
    const params = { event: event({ content: { deep: { list: [] } } }) };
    expect(await rig.callback("check_event_for_spam", params, names)).toMatchObject({ answer: "TypeError" });
  });

  test("a copy of its own of what Python lets modules change", async () => {
    const body =
      'const seen = JSON.stringify(params.room_config); params.room_config.list.push(1); return seen === \'{"list":[],"__proto__":{"a":1}}\' ? NOT_SPAM : seen;';
    const names = await load("user_may_create_room", body, body);
    const params = { user_id: "@a:b", room_config: JSON.parse('{ "list": [], "__proto__": { "a": 1 } }') };
    expect(await rig.callback("user_may_create_room", params, names)).toMatchObject({
      answer: "NOT_SPAM",
      module: null,
    });
  });

  test("a media file to read, while its callback runs", async () => {
    const file = folder.write("file.bin", "bytes");
    const body = `
      const before = context.data.file;
      for (const use of before ? ["read", "stream"] : [])
        try {
          await before[use]();
          throw new TypeError(use);
        } catch (e) {
          if (e.name + e.kind + e.method !== "ApiErrorcall_overfile_wrapper") throw new TypeError(use);
        }
      if (before) return before.read();
      let streamed = "";
      for await (const chunk of params.file_wrapper.stream()) streamed += Buffer.from(chunk).toString();
      const read = Buffer.from(await params.file_wrapper.read()).toString();
      context.data.file = params.file_wrapper;
      return [params.file_wrapper.path, read, streamed].join(" ");`;
    const text = moduleOf("check_media_file_for_spam", body).replace(
      "{ callbacks",
      "{ setup: () => ({}), callbacks",
    );
    await rig.load([{ path: folder.write("media.ts", text) }]);
    const params = {
      file_wrapper: { path: file },
      file_info: { server_name: null, file_id: "x", url_cache: false, thumbnail: null },
    };
    expect(await rig.callback("check_media_file_for_spam", params, ["media"])).toMatchObject({
      answer: `${file} bytes bytes`,
    });
    expect(await errorOf(rig.callback("check_media_file_for_spam", params, ["media"]))).toMatchObject({
      message: expect.stringContaining(
        "file_wrapper of check_media_file_for_spam was used after its handler had settled",
      ),
    });
  });

  test("its config, and a log with its name and the request's id", async () => {
    const path = folder.write(
      "context.ts",
      moduleOf(
        "user_may_invite",
        "context.log.info('from ' + Object.keys(context).join()); return context.config.word;",
      ),
    );
    await rig.load([{ path, config: { word: "configured" } }]);
    expect(await rig.callback("user_may_invite", INVITE, ["context"])).toMatchObject({
      answer: "configured",
    });
    expect(rig.lines).toContainEqual(
      expect.objectContaining({
        level: 30,
        module: "context",
        request: "REQ-1",
        msg: "from config,data,api,reason,signal,log",
      }),
    );
  });
});

describe("a cancelled call", () => {
  test("aborts the signal and is over, though its handler hangs", async () => {
    const names = await load(
      "user_may_invite",
      "context.signal.onabort = () => context.log.info('aborted'); context.log.info('asked'); return new Promise(() => {});",
    );
    const source = new CancellationTokenSource();
    const params = { call: 1, modules: names, params: INVITE, request: null };
    const answer = errorOf(rig.shim.sendRequest("callback/user_may_invite", params, source.token));
    await waitFor("the handler to be asked", () => rig.lines.some(({ msg }) => msg === "asked"));
    source.cancel();
    expect(await answer).toMatchObject({ code: -32800 });
    await waitFor("the signal", () => rig.lines.some(({ msg }) => msg === "aborted"));
  });

  test("asks nobody else", async () => {
    const names = await load(
      "user_may_invite",
      "await new Promise((go) => { context.signal.onabort = go; }); return NOT_SPAM;",
      "context.log.info('asked'); return NOT_SPAM;",
    );
    const source = new CancellationTokenSource();
    const params = { call: 1, modules: names, params: INVITE, request: null };
    const answer = errorOf(rig.shim.sendRequest("callback/user_may_invite", params, source.token));
    await rig.callback("user_may_invite", INVITE, []);
    source.cancel();
    expect(await answer).toMatchObject({ code: -32800, data: { asked: [{ module: "a" }] } });
    await rig.callback("user_may_invite", INVITE, []);
    expect(rig.lines).not.toContainEqual(expect.objectContaining({ msg: "asked" }));
  });
});

describe("what a handler returns is awaited", () => {
  const started = () => {
    const source = new CancellationTokenSource();
    let listeners = 0;
    const token: CancellationToken = {
      get isCancellationRequested() {
        return source.token.isCancellationRequested;
      },
      onCancellationRequested(listener) {
        const listening = source.token.onCancellationRequested(listener);
        listeners++;
        return {
          dispose() {
            listeners--;
            listening.dispose();
          },
        };
      },
    };
    return { source, cancellation: new Cancellation(token), listeners: () => listeners };
  };

  test.each([[5], ["x"], [null], [undefined], [{ a: 1 }]])("not where it is no promise: %p", (value) => {
    const { cancellation } = started();
    expect(untilAborted(value, cancellation)).toBe(value);
  });

  test("until it has come or has failed, after which nothing listens for the end of the call", async () => {
    const { cancellation, listeners } = started();
    // biome-ignore lint/suspicious/noThenProperty: any thenable counts as a promise
    const thenable = { then: (resolve: (value: number) => void) => resolve(7) };
    expect(await untilAborted(thenable, cancellation)).toBe(7);
    await expect(untilAborted(Promise.reject(new Error("own")), cancellation)).rejects.toThrow("own");
    expect(listeners()).toBe(0);
  });

  test("until the call is cancelled, also where it is so already", async () => {
    const { source, cancellation, listeners } = started();
    const waiting = untilAborted(new Promise(() => {}), cancellation);
    expect(listeners()).toBe(1);
    source.cancel();
    await expect(waiting).rejects.toMatchObject({ kind: "cancelled" });
    await expect(untilAborted(new Promise(() => {}), cancellation)).rejects.toMatchObject({
      kind: "cancelled",
    });
  });
});
