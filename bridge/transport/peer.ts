// Types the other end of a connection by the protocol: an unknown message, or wrong parameters, do not compile.
import type { CancellationToken } from "vscode-jsonrpc/node";
import type { ShimNotifications, ShimRequests } from "../catalogue/protocol.js";

type Requests = Readonly<Record<string, { readonly params: object; readonly result: unknown }>>;
type Notifications = Readonly<Record<string, object>>;

/** The other end of a connection, which takes these requests and notifications. */
interface Peer<Asked extends Requests, Told extends Notifications> {
  sendRequest<Method extends keyof Asked & string>(
    method: Method,
    params: Asked[Method]["params"],
    token?: CancellationToken,
  ): Promise<Asked[Method]["result"]>;
  sendNotification<Method extends keyof Told & string>(method: Method, params: Told[Method]): Promise<void>;
}

/** A host, or a thread of one. */
export type HostPeer = Peer<ShimRequests, ShimNotifications>;
