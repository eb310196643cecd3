// A mail server on loopback that takes every mail, and remembers it.
import { type AddressInfo, createServer, type Socket } from "node:net";

export interface MailServer {
  readonly port: number;
  /** All that clients have sent as data. */
  readonly mails: string[];
  close(): Promise<void>;
}

export async function startMailServer(): Promise<MailServer> {
  const mails: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    let received = "";
    let inData = false;
    socket.write("220 localhost\r\n");
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      received += chunk;
      for (;;) {
        const end = inData ? "\r\n.\r\n" : "\r\n";
        const index = received.indexOf(end);
        if (index < 0) return;
        const text = received.slice(0, index);
        received = received.slice(index + end.length);
        if (inData) mails.push(text);
        inData = !inData && /^DATA/i.test(text);
        if (/^QUIT/i.test(text)) socket.end("221 bye\r\n");
        else socket.write(inData ? "354 go on\r\n" : "250 ok\r\n");
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    mails,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
