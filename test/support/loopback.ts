// Lets an HTTP(S) server of a test listen on a free port of loopback.
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Listening {
  readonly port: number;
  /** Ends the server, and every connection to it. */
  close(): Promise<void>;
}

export async function listenOnLoopback(
  server: Pick<Server, "listen" | "address" | "close" | "closeAllConnections">,
): Promise<Listening> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
