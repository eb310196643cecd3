// The least that synapse-http-antispam needs to ask: every event is good. Prints its port.
import { createServer } from "node:http";

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const { event } = JSON.parse(Buffer.concat(chunks).toString());
    const spam = typeof event?.content?.body === "string" && event.content.body.includes("casino");
    response.writeHead(spam ? 400 : 200, { "content-type": "application/json" });
    response.end(spam ? '{"errcode":"M_FORBIDDEN"}' : "{}");
  });
});
server.keepAliveTimeout = 600_000;
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
