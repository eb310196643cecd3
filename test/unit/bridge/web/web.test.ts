// Web resources: from the shim's request to a WHATWG Request, and back from what the handler answered.
import { expect, test } from "@jest/globals";
import { folder, rig } from "../each-rig.js";
import { errorOf } from "../rig.js";

interface Page {
  status: number;
  headers: [string, string][];
  body: string;
}

let count = 0;
async function load(body: string): Promise<string> {
  const name = `page-${count++}`;
  const text = `import { SynapseError } from "synapse-module-bridge";
    import { Readable } from "node:stream";
    let kept;
    // A Response of another implementation.
    const like = (more) => ({ arrayBuffer() {}, status: 200, headers: new Map(), body: null, ...more });
    export default { setup: () => ({ word: "data" }), web_resources: { "/p": async (request, context) => { ${body} } } };`;
  await rig.load([{ path: folder.write(`${name}.ts`, text) }]);
  return name;
}

function request(module: string, more: object = {}): Promise<Page> {
  return rig.shim.sendRequest("web", {
    ...{ call: 18, module, path: "/p", request: "GET-1", method: "GET", url: "http://localhost/p?x=1&y=ä" },
    ...{ headers: [["Accept", "*/*"]], body: "" },
    ...more,
  });
}

const ask = async (body: string, more?: object) => request(await load(body), more);

const textOf = ({ body }: Page) => Buffer.from(body, "base64").toString();

test("a handler may answer with JSON", async () => {
  const page = await ask(
    "return { word: context.data.word, x: new URL(request.url).searchParams.get('x') };",
  );
  expect(page).toMatchObject({ status: 200, headers: [["content-type", "application/json"]] });
  expect(JSON.parse(textOf(page))).toEqual({ word: "data", x: "1" });
});

test("a handler may answer with a Response, each cookie with a header of its own", async () => {
  const page = await ask(`const headers = new Headers({ "X-Own": "1" });
    headers.append("Set-Cookie", "a=1; Path=/"); headers.append("Set-Cookie", "b=2");
    return new Response("Größe", { status: 418, headers });`);
  expect(page.status).toBe(418);
  expect(page.headers.filter(([name]) => name === "set-cookie").map(([, value]) => value)).toEqual([
    "a=1; Path=/",
    "b=2",
  ]);
  expect(page.headers).toContainEqual(["x-own", "1"]);
  expect(textOf(page)).toBe("Größe");
});

test.each([
  { arrayBuffer: 0, body: null, status: 302, headers: [["Location", "https://evil.example/"]] },
  { arrayBuffer: {}, body: null, status: "200 OK", headers: { entries: 1 }, text: 1, json: {} },
  { arrayBuffer: 0, headers: null, status: 200 },
])("JSON is JSON, whatever its keys: %j", async (stored) => {
  const page = await ask(`return JSON.parse(${JSON.stringify(JSON.stringify(stored))});`);
  expect(page).toMatchObject({ status: 200, headers: [["content-type", "application/json"]] });
  expect(JSON.parse(textOf(page))).toEqual(stored);
});

test("a Response may be of another implementation, and what is of its connection alone is left out", async () => {
  const headers = [
    ["Connection", "keep-alive"],
    ["Keep-Alive", "timeout=5"],
    ["Transfer-Encoding", "chunked"],
    ["Upgrade", "websocket"],
    ["Content-Length", "1000"],
    ["X-Own", "a\té"],
  ];
  const page = await ask(
    `return like({ status: 599, headers: new Map(${JSON.stringify(headers)}), body: Readable.from(["h", Buffer.from("i")]) });`,
  );
  expect({ ...page, body: textOf(page) }).toEqual({ status: 599, headers: [["X-Own", "a\té"]], body: "hi" });
});

test("bytes stay bytes in both directions", async () => {
  const bytes = Buffer.from([0, 255, 128, 10]);
  const page = await ask("return new Response(await request.arrayBuffer());", {
    method: "POST",
    body: bytes.toString("base64"),
  });
  expect(Buffer.from(page.body, "base64")).toEqual(bytes);
});

test("method and headers arrive", async () => {
  const headers = [
    ["X-Two", "1"],
    ["X-Two", "2"],
    ["Content-Type", "text/plain"],
  ];
  const page = await ask("return [request.method, request.headers.get('x-two'), await request.text()];", {
    method: "PUT",
    headers,
    body: Buffer.from("hi").toString("base64"),
  });
  expect(JSON.parse(textOf(page))).toEqual(["PUT", "1, 2", "hi"]);
});

test("a method that a Request cannot have is not allowed", async () => {
  expect(await ask("return 1;", { method: "TRACE" })).toEqual({ status: 405, headers: [], body: "" });
});

test.each([
  ["a Host with a space", { url: "http://a b/p" }],
  ["a Host with a password", { url: "http://user:word@localhost/p" }],
  ["a Host with a port that is none", { url: "http://localhost:99999/p" }],
  ["a method that is none", { method: "G(T" }],
])("%s is the client's fault, and no handler is asked", async (_, more) => {
  expect(await ask("throw new Error('asked');", more)).toEqual({ status: 400, headers: [], body: "" });
});

test("the request is known to the api while its handler runs", async () => {
  rig.shim.onRequest("api/get_user_by_req", ({ params }) => ({ user_id: `of call ${params.req}` }));
  const module = await load("kept ??= request; return await context.api.get_user_by_req({ req: kept });");
  expect(JSON.parse(textOf(await request(module)))).toEqual({ user_id: "of call 18" });
  const { message } = await errorOf(request(module));
  expect(message).toMatch("req must be the Request that a web handler was given");
});

test("a SynapseError is one for the shim", async () => {
  expect(await errorOf(ask("throw new SynapseError(403, 'no', 'M_FORBIDDEN');"))).toMatchObject({
    code: -32001,
    data: { code: 403, msg: "no", errcode: "M_FORBIDDEN" },
  });
});

test.each([
  ["throws", "throw new Error('oops');", /\/p threw Error: oops$/],
  ["answers nothing", "", /\/p answered neither a Response nor JSON: it is undefined$/],
  [
    "answers what is not JSON",
    "return { a: new Map() };",
    /\/p answered neither a Response nor JSON: a is a Map$/,
  ],
  [
    "answers Response.error()",
    "return Response.error();",
    /\/p answered with the status 0; expected 200 to 599$/,
  ],
  ["answers a status that is none", "return like({ status: 1999 });", /\/p answered with the status 1999;/],
  [
    "answers a status that is text",
    "return like({ status: '200 OK' });",
    /\/p answered with the status "200 OK";/,
  ],
  ["answers half a status", "return like({ status: 200.5 });", /\/p answered with the status 200\.5;/],
  [
    "answers a header with a line end",
    "return like({ headers: new Map([['X-A', 'a\\r\\nSet-Cookie: b=c']]) });",
    /\/p answered with a header "X-A" whose value is not valid$/,
  ],
  [
    "answers a wide header",
    "return like({ headers: new Map([['X-A', '\u4e00']]) });",
    /whose value is not valid$/,
  ],
  [
    "answers a header's name with a line end",
    "return like({ headers: new Map([['X\\r\\nA', 'a']]) });",
    /\/p answered with the header "X\\r\\nA", which is not a valid name$/,
  ],
  [
    "answers many headers",
    "return like({ headers: new Map([['X-A', 'a'.repeat(70_000)]]) });",
    /headers of more than/,
  ],
  [
    "answers 204 with a body",
    "return like({ status: 204, body: Readable.from(['x']) });",
    /answered 204 with a body/,
  ],
])("a handler that %s is a fault of its module", async (_, body, message) => {
  expect(await errorOf(ask(body))).toMatchObject({ code: -32002, message: expect.stringMatching(message) });
});
