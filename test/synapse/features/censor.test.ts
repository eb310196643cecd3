// The event censorer of Synapse's documentation, with a real HTTP service that says what a message becomes.
import { createServer } from "node:http";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { bridge, examplePath } from "../../support/bridge.js";
import { type Body, type Client, registerUser } from "../../support/client.js";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { type Listening, listenOnLoopback } from "../../support/loopback.js";

let server: Homeserver;
let service: Listening;
let alice: Client;
let room: string;
const asked: Body[] = [];

beforeAll(async () => {
  const censor = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const event = JSON.parse(Buffer.concat(chunks).toString());
      asked.push(event);
      const down = event.content.body === "down";
      response.writeHead(down ? 500 : 200, { "content-type": "application/json" });
      const body = String(event.content.body).replaceAll("darn", "****");
      response.end(JSON.stringify(down ? {} : { ...event.content, body, censored: true }));
    });
  });
  service = await listenOnLoopback(censor);
  const endpoint = `http://127.0.0.1:${service.port}/censor-event`;
  server = await startHomeserver({
    modules: [bridge({ modules: [{ path: examplePath("event-censorer.ts"), config: { endpoint } }] })],
  });
  alice = await registerUser(server, "alice");
  room = (await alice.createRoom()).body.room_id;
}, 60_000);

afterAll(async () => {
  await server?.stop();
  await service?.close();
});

test("a message has the content that the service gave", async () => {
  const sent = await alice.say(room, "well, darn ☃");
  expect(sent.status).toBe(200);
  const seen = await alice.event(room, sent.body.event_id);
  expect(seen.body.content).toEqual({ msgtype: "m.text", body: "well, **** ☃", censored: true });
});

test("the service gets the event, and nothing that is private to its sender", async () => {
  await alice.say(room, "look at me");
  const event = asked.find(({ content }) => content.body === "look at me");
  expect(event).toMatchObject({ type: "m.room.message", sender: alice.userId, room_id: room });
  expect(event.internal_metadata).toBeUndefined();
});

test("it is asked about messages alone", async () => {
  const before = asked.length;
  expect((await alice.setState(room, "m.room.topic", "", { topic: "darn" })).status).toBe(200);
  expect(asked).toHaveLength(before);
});

test("while it fails, messages are refused and the reason is in the log", async () => {
  const sent = await alice.say(room, "down");
  expect(sent.status).toBe(500);
  expect(sent.text).not.toContain("censor-event");
  expect(server.log()).toContain("/censor-event answered 500");
  expect((await alice.say(room, "up again")).status).toBe(200);
});
