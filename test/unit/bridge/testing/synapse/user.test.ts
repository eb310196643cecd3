// What the small client does with the answers of a server; here a server that answers as an older Synapse does.

import { appendFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Connection } from "../../../../../bridge/testing/synapse/connection.js";
import { Records } from "../../../../../bridge/testing/synapse/records.js";
import { User } from "../../../../../bridge/testing/synapse/user.js";
import { temporaryFolder } from "../../../../support/temporary-folder.js";

const folder = temporaryFolder();
let server: Server;
let alice: User;

function log(level: string, text: string): void {
  appendFileSync(folder.path("log"), `${JSON.stringify({ time: 1, level, namespace: "x", log: text })}\n`);
}

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === "/_matrix/media/v3/download/x/old") return void response.end("bytes");
    if (request.url === "/fails") {
      log("INFO", "not this");
      log("ERROR", "TypeError: boom");
    }
    const [status, errcode] = request.url === "/fails" ? [500, "M_UNKNOWN"] : [404, "M_UNRECOGNIZED"];
    response.writeHead(status as number, { "content-type": "application/json" });
    response.end(JSON.stringify({ errcode, error: "no" }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const records = new Records(folder.path("log"));
  const connection = new Connection(`http://127.0.0.1:${port}`, async () => undefined, records);
  alice = new User(connection, "@alice:x", "token", "DEVICE", "password");
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  folder.remove();
});

test("media comes from the older address where there is no other", async () => {
  expect(new TextDecoder().decode(await alice.download("mxc://x/old"))).toBe("bytes");
});

test("the error of a failure has what was logged as an error meanwhile, and nothing earlier", async () => {
  log("ERROR", "earlier");
  await expect(alice.request("GET", "/fails")).rejects.toMatchObject({
    status: 500,
    message: "GET /fails was answered with 500 M_UNKNOWN: no\n--- logged meanwhile\nTypeError: boom",
  });
});
