// Renders docs/reference/admin-api.md: what admins can ask of the bridge over HTTP. Pure text, no files.
import { code, type Row, table } from "./markdown.js";
import { linkTo, numberRows, renderDefinition, section } from "./render-protocol.js";
import { type AdminEndpoint, meaningOf, type Sources } from "./sources.js";
import { GENERATED } from "./type-text.js";

const introduction = (path: string) => `# The admin API: reference

<!-- ${GENERATED} -->

The bridge answers these requests itself, on each HTTP listener of each process of Synapse, also while Node is down. Paths
are below \`${path}/\`. [\`admin_api\`](../admin/configuration.md) turns the API off.

A request needs the access token of a server admin in its \`Authorization\` header: a user with \`admin: true\`, or with the
[Matrix Authentication Service](https://element-hq.github.io/matrix-authentication-service/), a token with the scope
\`urn:synapse:admin:*\`. For all others, the API looks like a path that does not exist. Tokens of appservices and tokens in
the query string do not count, nor do guests, tokens that have expired, and users who are locked or deactivated. An admin who is
suspended is still one, as for Synapse's own admin API. No module is asked about these requests, so no module can keep an
admin out.

Browsers may send requests from pages of the same site only. Bodies are JSON, as \`application/json\`. Limits count in each
process of Synapse by itself.

A reverse proxy has to pass the path on to Synapse. To keep the API off the internet, do not let it.

The examples take the token and the address from variables. \`read\` keeps the token out of your shell's history:

\`\`\`sh
read -rs TOKEN
ADDRESS=https://matrix.example.org${path}
\`\`\`
`;

export function renderAdminApi({ admin }: Sources): string {
  const { path: root, endpoints, limits, errors, definitions } = admin;
  return [
    introduction(root),
    section(
      "Requests",
      ["request", "answer", "meaning"],
      Object.values(endpoints).map(({ method, path, answer, summary }) => [
        `[${code(titleOf(method, path))}](#${anchorOf(method, path)})`,
        linkTo(answer, admin),
        summary,
      ]),
    ),
    ...Object.values(endpoints).map((endpoint) => renderEndpoint(endpoint, admin)),
    section(
      "Errors",
      ["status", "errcode", "meaning"],
      errors.map(({ status, errcode, summary }) => [String(status), code(errcode), summary]),
      "Errors are those of the Matrix client API: `errcode`, and `error`, which says what to do.",
    ),
    section("Limits", ["limit", "value", "meaning"], numberRows(limits)),
    `## Definitions\n\n${Object.entries(definitions).map(renderDefinition(admin)).join("\n")}`,
  ].join("\n");
}

function renderEndpoint(endpoint: AdminEndpoint, admin: Sources["admin"]): string {
  const { method, path, query = {}, body, answer, summary } = endpoint;
  const sent = body === undefined ? "" : `Body: ${linkTo(body, admin)}. `;
  const parameters = Object.entries(query).map(
    ([name, parameter]): Row => [
      code(parameter.required ? name : `${name}?`),
      Object.hasOwn(admin.definitions, parameter.type ?? "")
        ? `${meaningOf(parameter)} ${linkTo(parameter.type ?? "", admin)}.`
        : meaningOf(parameter),
    ],
  );
  return `### ${code(titleOf(method, path))}

${summary}

\`\`\`sh
${curlOf(endpoint)}
\`\`\`

${parameters.length === 0 ? "" : `${table(["parameter", "meaning"], parameters)}\n`}${sent}Answer: ${linkTo(answer, admin)}.
`;
}

function curlOf({ method, path, query = {}, body, example }: AdminEndpoint): string {
  const place = path.replace("<name>", "no-links").replace("<id>", "3f29a1c0");
  const lines = [
    `curl -H "Authorization: Bearer $TOKEN"${method === "GET" ? "" : ` -X ${method}`}`,
    ...(body === undefined ? [] : [`-H 'Content-Type: application/json' -d '${JSON.stringify(example)}'`]),
    ...chosen(query).map(([name, { example: value }]) => `-G --data-urlencode '${name}=${value}'`),
    `"$ADDRESS/${place}"`,
  ];
  return lines.join(" ");
}

/** Some of many parameters show how all are written. */
const chosen = (query: NonNullable<AdminEndpoint["query"]>) => Object.entries(query).slice(0, 1);

/** Angle brackets would be HTML. */
const titleOf = (method: string, path: string) => `${method} ${path.replace(/<(\w+)>/, "{$1}")}`;

const anchorOf = (method: string, path: string) =>
  `${method} ${path}`
    .toLowerCase()
    .replace(/[^\w -]/g, "")
    .replaceAll(" ", "-");
