// Renders codes.ts: Synapse's error codes and other constants, as enums. Pure text, no files.
import { docComment } from "./doc-comment.js";
import type { Sources } from "./sources.js";
import { GENERATED, sinceText } from "./type-text.js";

/** The enums: members, not strings, so that a bare string in a module is a compile error. */
export function renderCodes(sources: Sources): string {
  const behaviours = (sources.types.RegistrationVerdict?.enum ?? []) as string[];
  const kinds = Object.entries(sources.protocol.errors).filter(([, error]) => error.thrown_as === "ApiError");
  return `// ${GENERATED}
// Synapse's error codes and other constants, as enums: a bare string or a boolean in their place does not compile. And
// how calls of the api fail.

${docComment(
  [
    "Synapse's error codes, by Synapse's names for them. A verdict that is a code refuses, and the client gets the code as `errcode`.",
    "Clients get a code also from an older Synapse, which does not have it. In Synapse: `synapse.api.errors.Codes`.",
  ],
  { place: "callbacks", code: "user_may_create_room: () => Codes.FORBIDDEN," },
)}export enum Codes {
${sources.codes.map(codeText).join("")}}

/** The type of \`NOT_SPAM\`. */
export enum NotSpam {
  NOT_SPAM = "NOT_SPAM",
}

${docComment(
  [
    "The answer of a spam checker callback that allows. Synapse asks the next module.",
    "In Synapse: `synapse.module_api.NOT_SPAM`.",
  ],
  { place: "callbacks", code: "user_may_create_room: () => NOT_SPAM," },
)}export const NOT_SPAM = NotSpam.NOT_SPAM;

${docComment(
  [
    "The answers of `check_registration_for_spam`: `ALLOW` asks the next module, `DENY` refuses the registration, and `SHADOW_BAN` registers a user whose events nobody else sees.",
    "In Synapse: `synapse.spam_checker_api.RegistrationBehaviour`.",
  ],
  {
    place: "callbacks",
    code: [
      "check_registration_for_spam({ email_threepid }) {",
      "  return email_threepid === null ? RegistrationBehaviour.DENY : RegistrationBehaviour.ALLOW;",
      "},",
    ].join("\n"),
  },
)}export enum RegistrationBehaviour {
${behaviours.map((value) => `  ${value.toUpperCase()} = ${JSON.stringify(value)},\n`).join("")}}

${docComment(["Why a call of the api failed: the `kind` of an ApiError.", errorKinds(sources)], {
  place: "handler",
  code: [
    "try {",
    '  await api.set_displayname({ user_id, new_displayname: "Alice" });',
    "} catch (error) {",
    '  if (isApiError(error) && error.kind === "not_granted") log.warn(error.message);',
    "  else throw error;",
    "}",
  ].join("\n"),
})}export type ApiErrorKind =
${kinds.map(([kind]) => `  | ${JSON.stringify(kind)}\n`).join("")}  | "host_error";
`;
}

function codeText([name, { value, since }]: Sources["codes"][number]): string {
  const comment = since === undefined ? "" : `  ${docComment([sinceText(since)])}`;
  return `${comment}  ${name} = ${JSON.stringify(value)},\n`;
}

function errorKinds({ protocol }: Sources): string {
  const kinds = Object.entries(protocol.errors).filter(([, { thrown_as }]) => thrown_as === "ApiError");
  const lines = kinds.map(([kind, { summary }]) => `- \`${kind}\`: ${summary}`);
  return [...lines, "- `host_error`: The bridge itself failed."].join("\n");
}
