// Renders docs/reference/callbacks.md, the reference page of the callbacks. Pure text, no files.

import { GENERATED, objectText, paramsOfAll, typeText } from "./render-types.js";
import type { DeclaredCallback, Means, Policy, Sources } from "./sources.js";

const INTRODUCTION = `# Callbacks

<!-- ${GENERATED} -->

Every callback of Synapse, by category and in the order of the catalogue. Names and parameters are Synapse's own;
parameters travel by name. A handler is called as \`handler(params, context)\` and may be async. Types that are not
plain are declared in [\`bridge/sdk/wire-types.ts\`](../../bridge/sdk/wire-types.ts), and \`synapse-module-bridge\` exports them.

Some callbacks are asked with every request, or for every event of every answer. [Matching and caching](../author/matching-and-caching.md)
tells how to do without most of these calls. [Writing a module](../author/modules.md) has the rest.

**Without an answer** says which policy applies when the bridge gets no answer: nothing came within the deadline, Node is
down, a module's \`setup\` has not succeeded.

- \`allow\`: as if no module had objected.
- \`deny\`: refuse.
- \`defer\`: neither, but an error after which the other side may come back.

A handler that throws, or whose answer does not fit, is to Synapse what an exception in a Python module is, unless the
callback says otherwise or \`on_failure\` is set for it; about a user of another server it follows the policy, too,
except for messages (see \`check_event_for_spam\`). A
thrown \`SynapseError\` reaches the client as Synapse's own would.
`;

export function renderDocs(sources: Sources): string {
  const categories = [...new Set(sources.callbacks.map((callback) => callback.category))];
  const sections = categories.map((category) => {
    const callbacks = sources.callbacks.filter((callback) => callback.category === category);
    return [heading(category), ...callbacks.map((callback) => renderCallback(callback, sources))].join("\n");
  });
  return [INTRODUCTION, renderContents(categories), ...sections].join("\n");
}

/** What is true of all callbacks of a category. */
const ofCategory: Readonly<Record<string, string>> = {
  password_auth_provider:
    " Synapse takes none of them while it leaves authentication to another service (`matrix_authentication_service`): a module that declares one is refused at start then.",
};

function title(category: string): string {
  const words = category.replaceAll("_", " ");
  return `${words.charAt(0).toUpperCase()}${words.slice(1)} callbacks`;
}

function heading(category: string): string {
  const registered = `Registered with \`register_${category}_callbacks\`.`;
  return `## ${title(category)}\n\n${registered}${ofCategory[category] ?? ""}\n`;
}

function renderContents(categories: readonly string[]): string {
  const anchor = (category: string) => title(category).toLowerCase().replaceAll(" ", "-");
  return categories.map((category) => `- [${title(category)}](#${anchor(category)})\n`).join("");
}

function renderCallback(callback: DeclaredCallback, sources: Sources): string {
  const lines = [
    `### \`${callback.name}\``,
    `_Since Synapse ${callback.since}_`,
    callback.summary,
    `\`\`\`ts\n${signature(callback, sources)}\n\`\`\``,
    Object.entries(callback.params)
      .map(([name, type]) => `- \`${name}\`: ${describe(type, sources)}${since(name, callback)}`)
      .join("\n"),
    `**Answer** (${answers(callback, sources)}): ${describe(callback.result, sources)} ${chain(callback, sources)}`,
    `**Without an answer**: ${failure(callback)}`,
  ];
  return `${lines.join("\n\n")}\n`;
}

function signature(callback: DeclaredCallback, sources: Sources): string {
  const result = typeText(callback.result, sources);
  const room = 110 - `${callback.name}(, context: Context): ${result} | Promise<${result}>`.length;
  const params = objectText(paramsOfAll(callback), sources, room);
  if (callback.listed) {
    return `[{\n  login_type: string,\n  fields: string[],\n  handler(params: ${params.replaceAll("\n", "\n  ")}, context: Context): ${result} | Promise<${result}>,\n}, ...]`;
  }
  return `${callback.name}(params: ${params}, context: Context): ${result} | Promise<${result}>`;
}

function describe(type: string, sources: Sources): string {
  const name = type.replace(/\?$/, "");
  const orNull = name === type ? "" : " Or `null`.";
  // How a type travels is for those who write a host.
  const description = sources.types[name]?.description?.replace(/ On the wire:.*/s, "");
  return `${description ?? ""}${orNull}`;
}

function since(name: string, { params_since = {} }: DeclaredCallback): string {
  const first = params_since[name];
  return first === undefined
    ? ""
    : ` Since Synapse ${first}; undefined before, where a \`match\` on it stops the start.`;
}

function answers(callback: DeclaredCallback, sources: Sources): string {
  return `\`${sources.types[callback.result]?.tsType ?? typeText(callback.result, sources)}\``;
}

/** Whom Synapse, and so the bridge, asks next. */
function chain(callback: DeclaredCallback, sources: Sources): string {
  const { single, together } = callback;
  if (single) {
    return "Synapse takes one for all modules: two modules with it are refused at start, and so is a `match`.";
  }
  if (together) return `${asked(callback, sources)} A module that has it needs \`${together}\`, too.`;
  return asked(callback, sources);
}

function asked(callback: DeclaredCallback, sources: Sources): string {
  const { pass = [], merge = false } = sources.types[callback.result] ?? {};
  if (callback.listed)
    return "The next checker of this login type is asked after `null`, and after an exception.";
  if (callback.apart) return "The next module is asked after `null`, and after an exception.";
  if (callback.category === "background_update_controller")
    return "Synapse takes one module for all three callbacks.";
  if (merge || callback.result === "Nothing" || callback.result === "Edits") return "All modules are asked.";
  if (pass.length === 0) return "The first module decides.";
  return `The next module is asked after ${pass.map(code).join(" or ")}.`;
}

/** What is not asked any more after it has ended or hung Node. */
function setAside(callback: DeclaredCallback): string {
  const { author, about, params, set_aside: policy = "deny", on_failure } = callback;
  const question = about === undefined ? "that question" : `that \`${about}\``;
  const who =
    author === undefined
      ? `${question} is not asked about again for a while: policy answers`
      : `\`${author}\` is not asked about for a while`;
  const types = Object.values(params);
  const room = types.some((type) => /^StateEvents\b/.test(type))
    ? " in that room"
    : types.some((type) => /^(Event|RoomId)\b/.test(type))
      ? " (only in that room, where the module asked the api for something meanwhile)"
      : "";
  const answer = author !== undefined && policy in on_failure ? `: \`${policy}\` for a local one` : "";
  return ` After a call has ended or hung Node, ${who}${author === undefined ? "" : room}${answer}.`;
}

function failure(callback: DeclaredCallback): string {
  const { default: policy, exceptions = [], explicit = {}, federated = {}, ...offered } = callback.on_failure;
  if (callback.delivery === "notify") return "the notification is lost, and nothing else.";
  const sentences = [`\`${policy}\``];
  const spared = exceptions.map(({ policy: other, where, same, published }) => {
    const terms = Object.entries(where ?? {}).map(([path, value]) => `\`${path}\` is ${code(value)}`);
    if (same)
      terms.push(
        same
          .map((path) => `\`${path}\``)
          .join(" and ")
          .concat(" are the same"),
      );
    if (published) terms.push(`\`${published}\` is in the room directory already`);
    return `\`${other}\` where ${terms.join(" and ")}`;
  });
  if (spared.length > 0) sentences.push(`; whatever is set, ${spared.join("; ")}`);
  sentences.push(". ");
  const described = (how: Means, suffix = "") =>
    typeof how === "object" ? ` (answers ${code(how.answer)}${suffix})` : "";
  const policies = Object.entries(offered).map(
    ([name, how]) =>
      `\`${name}\`${described(how)}${described(federated[name as Policy] ?? "pass", " in federated calls")}`,
  );
  sentences.push(
    policies.length === 1 ? "No other policy can be expressed." : `It can express ${list(policies)}.`,
  );
  for (const [whose, names] of Object.entries(explicit)) {
    const only = names.map((name) => `\`${name}\``).join(", ");
    sentences.push(` For ${whose} calls ${only} counts only where it is set for this very callback.`);
  }
  if (callback.delivery !== "notify") sentences.push(setAside(callback));
  if (callback.faults === "policy") {
    sentences.push(
      " So do a handler that throws and an answer that does not fit: an exception would fail all that the client asked for.",
    );
  }
  if (typeof callback.faults === "object") {
    sentences.push(
      ` A handler that throws about a message of another server, and an answer about one that does not fit, is ${code(callback.faults.remote_message)}, unless \`on_failure\` is set for this very callback: its author could write what makes a handler throw.`,
    );
  }
  if (callback.secret) {
    sentences.push(
      " It is asked with secrets: the log tells of what class an error is and where it was thrown, but none of its text; a shadow module is not asked; there is no `ttl`.",
    );
  }
  if (callback.swallows) {
    sentences.push(
      " Synapse takes an exception here for a yes; the bridge does not: whatever a handler throws, and an answer that does not fit, refuses.",
    );
  }
  return sentences.join("");
}

function list(words: readonly string[]): string {
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``;
}
