// Lets invites pass only to and from the servers that the admin allows.
//
// For whom: servers that work with some partners, and servers that get spam by invites.
// Limits: it says nothing about who joins a room by its address. The own server is always allowed. An email address or a phone
// number may belong to a user of any server, so they are invited only if `third_party_invites` says so.
import { Codes, defineModule, NOT_SPAM, SynapseError } from "synapse-module-bridge";

export default defineModule({
  configSchema: {
    type: "object",
    properties: {
      servers: {
        description:
          "The allowed servers. '*.example.org' allows example.org, too, and all servers below it.",
        type: "array",
        items: { type: "string", minLength: 1 },
      },
      direction: {
        description: "Which invites are judged: those to other servers, those from other servers, or both.",
        enum: ["outgoing", "incoming", "both"],
        default: "both",
      },
      third_party_invites: {
        description: "Whether email addresses and phone numbers may be invited.",
        type: "boolean",
        default: false,
      },
    },
    required: ["servers"],
    additionalProperties: false,
  },
  callbacks: {
    user_may_invite: {
      // Synapse asks this for invites of both directions, and did so before there was federated_user_may_invite.
      match: ({ direction }) => (direction === "both" ? {} : { local: direction === "outgoing" }),
      handler({ inviter, invitee }, { api, config, reason }) {
        const isOutgoing = api.is_mine({ id: inviter });
        const other = isOutgoing ? invitee : inviter;
        const server = other.slice(other.indexOf(":") + 1).toLowerCase();
        if (
          api.is_mine({ id: other }) ||
          config.servers.some((allowed) => fits(server, allowed.toLowerCase()))
        )
          return NOT_SPAM;
        reason("a server that is not allowed", { server });
        if (!isOutgoing) return Codes.FORBIDDEN;
        throw new SynapseError(
          403,
          `Users of ${server} may not be invited from this server.`,
          Codes.FORBIDDEN,
        );
      },
    },
    user_may_send_3pid_invite: {
      match: (config) => ({
        medium: config.third_party_invites || config.direction === "incoming" ? [] : ["*"],
      }),
      handler: () => Codes.FORBIDDEN,
    },
  },
});

function fits(server: string, allowed: string): boolean {
  if (!allowed.startsWith("*.")) return server === allowed;
  return server === allowed.slice(2) || server.endsWith(allowed.slice(1));
}
