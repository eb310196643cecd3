// Renders docs/reference/callbacks.md, the reference page of the callbacks. Pure text, no files.

import { exampleOf } from "./examples.js";
import { code, describe, parameters, typeLink, withLinks } from "./markdown.js";
import type { DeclaredCallback, Means, Policy, Sources } from "./sources.js";
import { GENERATED, paramsOfAll, typeText } from "./type-text.js";

const INTRODUCTION = `# Callbacks

<!-- ${GENERATED} -->

All callbacks of Synapse, by category. They have Synapse's names, and so have their parameters. A handler gets the parameters
in one object, and [the context](../author/modules.md#callbacks) in another: \`handler(params, context)\`. It may be async.
`;

const HOW_TO_READ = `## How to read an entry

- **Answer**: what the handler may return. [Types](types.md) has the declarations.
- **Next module**: after which answers Synapse's question goes to the next module. Any other answer decides.
- **Without an answer**: the [policy](../admin/failures.md#policies) that answers if no module does, and the policies that
  [\`on_failure\`](../admin/configuration.md#on_failure) may set.
- **Always allowed**: what no policy refuses.
- **After a throw**: what follows if a handler throws or returns a wrong answer. Without this line, the
  [general rules](../admin/failures.md#when-a-module-throws) hold.
- **Quarantine**: whom or what the module is no longer asked about, after a call has crashed or hung Node. See
  [quarantine](../admin/failures.md#quarantine).
`;

export function renderCallbacks(sources: Sources): string {
  const categories = [...new Set(sources.callbacks.map((callback) => callback.category))];
  const of = (category: string) => sources.callbacks.filter((callback) => callback.category === category);
  const contents = categories.map((category) => renderContents(category, of(category)));
  const sections = categories.map((category) =>
    [heading(category), ...of(category).map((callback) => renderCallback(callback, sources))].join("\n"),
  );
  return [INTRODUCTION, contents.join(""), HOW_TO_READ, ...sections].join("\n");
}

/** What is true of all callbacks of a category. */
const ofCategory: Readonly<Record<string, string>> = {
  password_auth_provider:
    " If Synapse leaves authentication to another service (`matrix_authentication_service`), it takes none of them, and a module that has one stops the start.",
};

function title(category: string): string {
  const words = category.replaceAll("_", " ");
  return `${words.charAt(0).toUpperCase()}${words.slice(1)} callbacks`;
}

function heading(category: string): string {
  const registered = `A Python module registers them with \`register_${category}_callbacks\`.`;
  return `## ${title(category)}\n\n${registered}${ofCategory[category] ?? ""}\n`;
}

function renderContents(category: string, callbacks: readonly DeclaredCallback[]): string {
  const anchor = title(category).toLowerCase().replaceAll(" ", "-");
  const links = callbacks.map(({ name }) => `[\`${name}\`](#${name})`);
  return `- [${title(category)}](#${anchor}): ${links.join(", ")}\n`;
}

function renderCallback(callback: DeclaredCallback, sources: Sources): string {
  const { name, summary, since } = callback;
  const names = sources.callbacks.map((one) => one.name);
  const parts = [
    `### \`${name}\``,
    `${withLinks(summary, names)} _Since Synapse ${since}._`,
    parameters(paramsOfAll(callback), notesOf(callback), sources),
    factsOf(callback, sources)
      .map((fact) => `- ${fact}\n`)
      .join("")
      .trimEnd(),
    `\`\`\`ts\n${exampleOf(callback, sources)}\n\`\`\``,
  ];
  return `${parts.join("\n\n")}\n`;
}

/** What is known of a callback besides its parameters, as items of a list. */
export function factsOf(callback: DeclaredCallback, sources: Sources): string[] {
  return [
    `**Answer**: ${answer(callback.result, sources)}`,
    nextModule(callback, sources),
    ...failure(callback),
  ];
}

function answer(result: string, sources: Sources): string {
  const description = describe(result, sources);
  const type = typeText(result, sources);
  return type === "void" ? description : `${typeLink(result, sources)}. ${description}`;
}

/** What is said of each parameter. */
export function notesOf({ notes = {}, params, params_since = {} }: DeclaredCallback): Record<string, string> {
  const entries = Object.keys(params).map((name) => {
    const first = params_since[name];
    const older = `absent before Synapse ${first}, where a \`match\` on it stops the start`;
    return [name, [notes[name] ?? [], first === undefined ? [] : older].flat().join("; ")] as const;
  });
  return Object.fromEntries(entries);
}

function nextModule(callback: DeclaredCallback, sources: Sources): string {
  const { single, together } = callback;
  const text = single
    ? "none. Synapse takes this callback from one module only: a second module with it, or a `match`, stops the start"
    : `${asked(callback, sources)}${together ? `. A module that has it needs \`${together}\`, too` : ""}`;
  return `**Next module**: ${text}.`;
}

function asked(callback: DeclaredCallback, sources: Sources): string {
  const { pass = [], merge = false } = sources.types[callback.result] ?? {};
  if (callback.listed) return "the next one with this login type, after `null` and after an exception";
  if (callback.apart) return "after `null` and after an exception";
  if (callback.category === "background_update_controller")
    return "none. Synapse takes the three callbacks of this category from one module only";
  if (merge || callback.result === "Nothing" || callback.result === "Edits") return "always";
  if (pass.length === 0) return "never";
  return `after ${pass.map((value) => shown(value, callback)).join(" or ")}`;
}

/** An answer as an author writes it. */
function shown(value: unknown, { result }: DeclaredCallback): string {
  if (value === "NOT_SPAM") return "`NOT_SPAM`";
  if (result === "RegistrationVerdict") return `\`${String(value).toUpperCase()}\``;
  return code(JSON.stringify(value));
}

const ALWAYS_ALLOWED =
  "**Always allowed**: [leaving a room, and making something private](../admin/failures.md#always-allowed).";

function failure(callback: DeclaredCallback): string[] {
  const { faults, secret, swallows } = callback;
  if (callback.delivery === "notify") return ["**Without an answer**: the notification is lost."];
  const lines = [`**Without an answer**: ${policies(callback)}`];
  if (callback.on_failure.exceptions) lines.push(ALWAYS_ALLOWED);
  if (swallows) lines.push("**After a throw**: it refuses. (In Python, Synapse would allow.)");
  if (faults === "policy")
    lines.push("**After a throw**: the policy answers, since an exception would fail the whole request.");
  if (typeof faults === "object") {
    lines.push(
      `**After a throw** about a message of another server: ${code(faults.remote_message)}, unless \`on_failure\` is set for this callback.`,
    );
  }
  lines.push(`**Quarantine**: ${quarantined(callback)}.`);
  if (secret) {
    lines.push(
      "**Secrets**: of an error, the log has the class and the place, but no text. Shadow modules are not asked. There is no `ttl`.",
    );
  }
  return lines;
}

function policies({ on_failure }: DeclaredCallback): string {
  const { default: policy, exceptions: _, explicit = {}, federated = {}, ...offered } = on_failure;
  const answered = (how: Means, suffix = "") =>
    typeof how === "object" ? ` (answers ${code(JSON.stringify(how.answer))}${suffix})` : "";
  const names = Object.entries(offered).map(
    ([name, how]) =>
      `\`${name}\`${answered(how)}${answered(federated[name as Policy] ?? "pass", " in federated calls")}`,
  );
  const may = names.length === 1 ? "It cannot be changed." : `\`on_failure\` may be ${list(names)}.`;
  const only = Object.entries(explicit).map(
    ([whose, which]) =>
      ` For ${whose} calls ${which.map(code).join(" and ")} has to be set for this callback itself.`,
  );
  return `\`${policy}\`. ${may}${only.join("")}`;
}

function quarantined({ author, about, params, set_aside = "deny", on_failure }: DeclaredCallback): string {
  if (author === undefined)
    return about === undefined ? "this question alone" : `questions about the same \`${about}\``;
  const types = Object.values(params);
  const room = types.some((type) => /^StateEvents\b/.test(type))
    ? " in this room"
    : types.some((type) => /^(Event|RoomId)\b/.test(type))
      ? " (in this room only, if the module called the api)"
      : "";
  const answer = set_aside in on_failure ? `; a local user gets \`${set_aside}\`` : "";
  return `\`${author}\`${room}${answer}`;
}

function list(words: readonly string[], last = "or"): string {
  return words.length === 1 ? String(words[0]) : `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`;
}
