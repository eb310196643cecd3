// The other end of a connection, as the protocol has it: a message of another name, or with other parameters, does not
// compile.
import type { CancellationToken } from "vscode-jsonrpc/node";
import type {
  HostNotifications,
  HostRequests,
  ShimNotifications,
  ShimRequests,
} from "../catalogue/protocol.js";

type Requests = Readonly<Record<string, { readonly params: object; readonly result: unknown }>>;
type Notifications = Readonly<Record<string, object>>;

/** Who gets these requests and notifications. */
export interface Peer<Asked extends Requests, Told extends Notifications> {
  sendRequest<Method extends keyof Asked & string>(
    method: Method,
    params: Asked[Method]["params"],
    token?: CancellationToken,
  ): Promise<Asked[Method]["result"]>;
  sendNotification<Method extends keyof Told & string>(method: Method, params: Told[Method]): Promise<void>;
}

/** A host, or a thread of one. */
export type HostPeer = Peer<ShimRequests, ShimNotifications>;
/** The shim; for a thread, the host passes on what it asks and tells. */
export type ShimPeer = Peer<HostRequests, HostNotifications>;
