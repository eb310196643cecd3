// Web resources of modules, asked for on a real Synapse's own listener.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge, examplePath } from "../../support/bridge.js";
import { Client, registerUser } from "../../support/client.js";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { modulePath } from "./module-path.js";

let server: Homeserver;
let anyone: Client;

beforeAll(async () => {
  server = await startHomeserver({
    modules: [
      bridge({
        modules: [
          { path: modulePath("web.ts") },
          { path: examplePath("list-spam-checker.ts"), config: { evil_users: ["@evil:test.localhost"] } },
        ],
        timeout: "2s",
      }),
    ],
  });
  anyone = new Client(server.baseUrl);
}, 60_000);

afterAll(() => server?.stop());

const web = "/_synapse/client/web";

describe("the list spam checker of Synapse's documentation", () => {
  const isEvil = "/_synapse/client/list_spam_checker/is_evil";

  test("tells who is evil", async () => {
    const asked = (user: string) => anyone.get(isEvil, { user });
    expect(await asked("@evil:test.localhost")).toMatchObject({ status: 200, body: { evil: true } });
    expect(await asked("@good:test.localhost")).toMatchObject({ status: 200, body: { evil: false } });
  });

  test("says that it needs a user", async () => {
    expect(await anyone.get(isEvil)).toMatchObject({ status: 400, body: { error: "which user?" } });
  });

  test("refuses the messages of who is evil, and of no one else", async () => {
    const [evil, good] = [await registerUser(server, "evil"), await registerUser(server, "good")];
    const room = (await good.createRoom({ preset: "public_chat" })).body.room_id;
    await evil.join(room);
    expect(await evil.say(room, "hello")).toMatchObject({ status: 403, body: { errcode: "M_FORBIDDEN" } });
    expect(await good.say(room, "hello")).toMatchObject({ status: 200 });
  });
});

describe("a request", () => {
  test("reaches its handler with method, query, headers and a body of any bytes", async () => {
    const raw = new Uint8Array([0, 1, 254, 255, 13, 10]);
    const options = { raw, contentType: "application/x-odd", headers: { "x-custom": "yes" } };
    const { status, body } = await anyone.request("POST", `${web}/echo?a=1&a=2&b=%E2%98%83`, options);
    expect(status).toBe(200);
    expect(body).toEqual({
      method: "POST",
      path: `${web}/echo`,
      query: [
        ["a", "1"],
        ["a", "2"],
        ["b", "☃"],
      ],
      type: "application/x-odd",
      custom: "yes",
      body: Buffer.from(raw).toString("base64"),
    });
  });

  test("of another method reaches it as well", async () => {
    for (const method of ["GET", "PUT", "DELETE", "PATCH"]) {
      expect((await anyone.request(method, `${web}/echo`)).body).toMatchObject({ method });
    }
  });

  test("with a big body comes whole", async () => {
    const raw = new Uint8Array(300_000).map((_byte, index) => index % 251);
    const { body } = await anyone.request("POST", `${web}/echo`, { raw });
    expect(Buffer.from(body.body, "base64").equals(raw)).toBe(true);
  });

  test("with a body of 10 MiB comes whole, and a bigger one is refused", async () => {
    const most = 10 * 1024 * 1024;
    const sent = (bytes: number) => anyone.request("POST", `${web}/size`, { raw: new Uint8Array(bytes) });
    expect(await sent(most)).toMatchObject({ status: 200, body: most });
    expect(await sent(most + 1)).toMatchObject({ status: 413, body: { errcode: "M_TOO_LARGE" } });
  });

  test("whose client leaves aborts the handler's signal", async () => {
    const controller = new AbortController();
    const asked = fetch(`${server.baseUrl}${web}/wait`, { signal: controller.signal });
    const logged = (text: string) => waitFor(`"${text}" in the log`, () => server.log().includes(text));
    await logged("the request waits");
    controller.abort();
    await expect(asked).rejects.toThrow();
    await logged("the client has left, and the handler knows");
    expect(server.log()).not.toMatch(/CancelledError|web\/wait: no answer/);
  });

  test("to a path that no module has is not found", async () => {
    for (const path of [`${web}/none`, web, "/_synapse/client/none"]) {
      expect((await anyone.get(path)).status).toBe(404);
    }
  });
});

describe("an answer", () => {
  const get = (path: string) => fetch(`${server.baseUrl}${web}/${path}`);

  test("is a Response with status, headers and body", async () => {
    const response = await get("response");
    expect(response.status).toBe(418);
    expect(response.headers.get("x-tea")).toBe("no");
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(await response.text()).toBe("made ☕");
  });

  test("is a Response of any bytes, or of none", async () => {
    expect([...new Uint8Array(await (await get("bytes")).arrayBuffer())]).toEqual([0, 255, 10, 13]);
    expect((await get("empty")).status).toBe(204);
  });

  test("may have 10 MiB, and is an error if it has more", async () => {
    expect((await (await get("big")).arrayBuffer()).byteLength).toBe(10 * 1024 * 1024);
    expect((await get("endless")).status).toBe(500);
    const told = "/_synapse/client/web/endless answered with more than 10485760 bytes";
    await waitFor("the reason in the log", () => server.log().includes(told));
  });

  test("is JSON", async () => {
    const response = await get("text");
    expect(response.headers.get("content-type")).toContain("application/json");
    expect(await response.json()).toBe("just text");
  });

  const post = (path: string, body: object) =>
    fetch(`${server.baseUrl}${web}/${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      redirect: "manual",
    });

  test("is JSON also where its keys are those of a Response", async () => {
    const headers = [
      ["Location", "https://evil.example/"],
      ["Set-Cookie", "a=b"],
    ];
    const stored = { arrayBuffer: 0, body: null, status: 302, headers };
    const response = await post("stored", stored);
    expect(response.status).toBe(200);
    expect(response.headers.get("location") ?? response.headers.get("set-cookie")).toBeNull();
    expect(await response.json()).toEqual(stored);
  });

  test.each([
    [
      "a status that is none",
      { status: 1999, headers: [["X-Own", "1"]] },
      "like answered with the status 1999",
    ],
    ["a status that is text", { status: "200 OK", headers: [["X-Own", "1"]] }, 'the status "200 OK"'],
    [
      "a header with a line end",
      {
        status: 200,
        headers: [
          ["X-Own", "1"],
          ["X-Bad", "a\r\nSet-Cookie: b=c"],
        ],
      },
      'a header "X-Bad" whose value is not valid',
    ],
  ])("is an error without any of its headers where it has %s", async (_, answer, told) => {
    const response = await post("like", answer);
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ errcode: "M_UNKNOWN" });
    expect(response.headers.get("x-own") ?? response.headers.get("set-cookie")).toBeNull();
    await waitFor("the reason in the log", () => new RegExp(told).test(server.log()));
  });

  test("is the SynapseError that the handler threw", async () => {
    const { status, body } = await anyone.get(`${web}/refuse`);
    expect({ status, body }).toEqual({
      status: 403,
      body: { errcode: "ORG.EXAMPLE.NO", error: "not for you", why: ["because"] },
    });
  });

  test("comes even where fields would keep Synapse from answering", async () => {
    const { status, body } = await anyone.get(`${web}/unsafe`);
    expect(status).toBe(400);
    expect(body).toMatchObject({ errcode: "M_UNKNOWN", error: "odd fields", kept: true });
  });

  test("says nothing of what went wrong inside the module", async () => {
    const { status, text } = await anyone.get(`${web}/throw`);
    expect(status).toBe(500);
    expect(text).not.toContain("secret detail");
    await waitFor("the error in the log", () => server.log().includes("secret detail"));
  });

  test("comes at the deadline though the handler hangs", async () => {
    const began = Date.now();
    const { status, body } = await anyone.get(`${web}/hang`);
    expect({ status, body }).toEqual({
      status: 504,
      body: { errcode: "M_UNKNOWN", error: "the module did not answer in time" },
    });
    expect(Date.now() - began).toBeGreaterThan(1900);
    const aborted = "the hanging request was aborted";
    await waitFor("the handler to hear of it", () => server.log().includes(aborted));
  });
});

describe("get_user_by_req", () => {
  test("tells whose access token a request has", async () => {
    const alice = await registerUser(server, "alice");
    const { body } = await alice.get(`${web}/who`);
    expect(body).toEqual({ user_id: alice.userId, device_id: alice.deviceId, is_guest: false });
  });

  test("may be called again for a request", async () => {
    const carol = await registerUser(server, "carol");
    expect((await carol.get(`${web}/twice`)).body).toEqual([carol.userId, carol.userId]);
  });

  test("is Synapse's own error where it has none or a wrong one", async () => {
    expect(await anyone.get(`${web}/who`)).toMatchObject({
      status: 401,
      body: { errcode: "M_MISSING_TOKEN" },
    });
    const wrong = await anyone.request("GET", `${web}/who`, { headers: { authorization: "Bearer wrong" } });
    expect(wrong).toMatchObject({ status: 401, body: { errcode: "M_UNKNOWN_TOKEN", soft_logout: false } });
  });
});
