// Says who may register: reserves names, asks for an email address of some domains, keeps networks out, and limits how many
// accounts one address may make in a day.
//
// For whom: servers with open registration.
// Not judged: accounts that an admin or a module makes, guests, and users of application services.
// Limits: an account counts for its address when the rules let it pass, even if Synapse refuses it afterwards. Many people may
// share one IPv4 address; IPv6 addresses count by their /64. Behind a reverse proxy, Synapse needs `x_forwarded: true`. The domain of an email
// address is known only if Synapse verifies it (`registrations_require_3pid`). With the Matrix Authentication Service, Synapse
// does not ask.
import { BlockList, isIP } from "node:net";
import { Codes, defineModule, RateLimiter, RegistrationBehaviour, SynapseError } from "synapse-module-bridge";

export default defineModule({
  configSchema: {
    type: "object",
    properties: {
      reserved_words: {
        description:
          "A name may not have one of these words as a part: `admin` reserves admin, the-admin and admin2, not badminton.",
        type: "array",
        items: { type: "string", pattern: "^[a-z]+$" },
        default: [
          "abuse",
          "admin",
          "administrator",
          "moderator",
          "postmaster",
          "root",
          "security",
          "support",
          "system",
        ],
      },
      email_domains: {
        description:
          "If there are any, who registers needs an email address of one of these domains. Not asked of who signs in by SSO.",
        type: "array",
        items: { type: "string" },
        default: [],
      },
      refused_networks: {
        description: "IP addresses and networks that nobody may register from, such as 203.0.113.0/24.",
        type: "array",
        items: { type: "string" },
        default: [],
      },
      per_day: {
        description: "So many accounts may be made from one IP address in a day.",
        type: "integer",
        minimum: 1,
        default: 5,
      },
    },
    additionalProperties: false,
  },
  grants: ["store"],
  setup({ api, config }) {
    const refused = new BlockList();
    for (const network of config.refused_networks) addNetwork(refused, network);
    return {
      refused,
      accounts: new RateLimiter(api, { name: "accounts", limit: config.per_day, per: "1d" }),
      words: new Set(config.reserved_words),
      domains: new Set(config.email_domains.map((domain) => domain.toLowerCase())),
    };
  },
  callbacks: {
    async check_registration_for_spam(
      { username, email_threepid, request_info, auth_provider_id },
      { config, data, reason },
    ) {
      // What an admin makes comes from no client.
      if (request_info.length === 0) return RegistrationBehaviour.ALLOW;
      const addresses = request_info.flatMap(([, address]) => address ?? []);

      if (addresses.some((address) => isIn(data.refused, address))) {
        reason("a refused network");
        return RegistrationBehaviour.DENY; // the client is not told why
      }
      const parts = (username ?? "").toLowerCase().split(/[^a-z]+/);
      if (parts.some((part) => data.words.has(part))) {
        reason("a reserved name");
        throw new SynapseError(
          400,
          "This name is reserved. Please choose another one.",
          Codes.INVALID_USERNAME,
        );
      }
      if (data.domains.size > 0 && auth_provider_id === null) {
        const email = email_threepid?.medium === "email" ? email_threepid.address : "";
        if (!data.domains.has(email.slice(email.lastIndexOf("@") + 1).toLowerCase())) {
          const domains = config.email_domains.join(", ");
          reason("no email address of an allowed domain");
          throw new SynapseError(
            403,
            `You need an email address at ${domains} to register here.`,
            Codes.THREEPID_DENIED,
          );
        }
      }
      for (const address of new Set(addresses.map(household))) {
        const { allowed } = await data.accounts.consume(address);
        if (!allowed) {
          reason("too many accounts from one address");
          return RegistrationBehaviour.DENY;
        }
      }
      return RegistrationBehaviour.ALLOW;
    },
  },
});

function addNetwork(list: BlockList, network: string): void {
  const [address = "", length] = network.split("/");
  const version = isIP(address);
  const bits = length === undefined ? (version === 4 ? 32 : 128) : Number(length);
  if (version === 0 || !Number.isInteger(bits) || bits < 0 || bits > (version === 4 ? 32 : 128))
    throw new Error(
      `refused_networks: ${network} is no network. Write it like 203.0.113.0/24 or 2001:db8::/32.`,
    );
  list.addSubnet(address, bits, version === 4 ? "ipv4" : "ipv6");
}

function isIn(list: BlockList, address: string): boolean {
  const version = isIP(address);
  return version !== 0 && list.check(address, version === 4 ? "ipv4" : "ipv6");
}

/** What one household or one machine has: an IPv4 address, or the first 64 bits of an IPv6 address. */
function household(address: string): string {
  if (isIP(address) !== 6 || address.includes(".")) return address;
  const [before = "", after] = address.toLowerCase().split("%")[0]?.split("::") ?? [];
  const head = before === "" ? [] : before.split(":");
  const tail = after ? after.split(":") : [];
  const gap = after === undefined ? [] : Array<string>(Math.max(0, 8 - head.length - tail.length)).fill("0");
  const groups = [...head, ...gap, ...tail]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16));
  return `${groups.join(":")}::/64`;
}
