// Holds a port for a process that must know it before it starts: the process inherits the listening socket.
import { createServer, type Server } from "node:net";

export interface HeldPort {
  readonly port: number;
  /** The number of the descriptor of the listening socket. */
  readonly descriptor: number;
  /** To be called once the process has inherited it. */
  release(): void;
}

/** Without a number, it is any free one. */
export async function holdPort(number = 0): Promise<HeldPort> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(number, "127.0.0.1", resolve);
  });
  const address = server.address();
  const { fd } = (server as Server & { _handle: { fd: number } })._handle;
  return {
    port: typeof address === "object" && address ? address.port : 0,
    descriptor: fd,
    release: () => void server.close(),
  };
}
