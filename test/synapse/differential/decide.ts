// What the scripted policy does in every callback: writes down what it sees, and answers what the script says.
import { appendFileSync, readFileSync } from "node:fs";
import { Codes, NOT_SPAM, RegistrationBehaviour, SynapseError } from "synapse-module-bridge";
import type { Action, AnswerSpec, Operation, Script, ThrowSpec } from "./script.js";

export interface PolicyConfig {
  readonly name: string;
  /** The script's file, read at every call. */
  readonly script: string;
  /** Where the calls are written down, one JSON object a line. */
  readonly log: string;
}

// biome-ignore lint/suspicious/noExplicitAny: one function serves the parameters and answers of all callbacks
type Any = any;

/** What passes, where it is not NOT_SPAM. */
export const pass: Record<string, Any> = {
  should_drop_federated_event: false,
  check_username_for_spam: false,
  check_registration_for_spam: RegistrationBehaviour.ALLOW,
  check_event_allowed: true,
  check_threepid_can_be_invited: true,
  check_visibility_can_be_modified: true,
  check_can_shutdown_room: true,
  check_can_deactivate_user: true,
  is_user_expired: null,
  on_legacy_renew: [false, false, 0],
  on_legacy_admin_request: 0,
  get_ratelimit_override_for_user: null,
  get_media_config_for_user: null,
  is_user_allowed_to_upload_media_of_size: true,
  get_media_upload_limits_for_user: null,
  get_users_for_states: {},
  get_interested_users: [],
  is_3pid_allowed: true,
  get_username_for_registration: null,
  get_displayname_for_registration: null,
};

export async function decide(callback: string, params: Any, config: PolicyConfig): Promise<Any> {
  const script = JSON.parse(readFileSync(config.script, "utf8")) as Script;
  const found = script[config.name]?.[callback];
  const action = found && applies(found, params) ? found : undefined;
  const seen = { module: config.name, callback, params: await plain(params, action) };
  appendFileSync(config.log, `${JSON.stringify(seen)}\n`);
  const passed = callback in pass ? pass[callback] : NOT_SPAM;
  if (!action) return passed;
  if (action.hang) return new Promise(() => {});
  if (action.throw) throw thrown(action.throw);
  if (action.edit) apply(params.request_content, action.edit);
  return action.answer ? answered(action.answer, params) : passed;
}

function applies(action: Action, params: Any): boolean {
  const field = (path: string) => path.split(".").reduce<Any>((value, key) => value?.[key], params);
  return Object.entries(action.when ?? {}).every(([path, value]) => field(path) === value);
}

/** The parameters as plain JSON: state and files as what a module finds in them. */
async function plain(params: Any, action: Action | undefined): Promise<Any> {
  const { state_events, file_wrapper, requester, request, ...rest } = params;
  if (state_events) rest.state_events = await looked(state_events, action?.look);
  if (requester) rest.requester = { ...requester, scope: [...requester.scope].sort() };
  if (request) {
    const { pathname, search } = new URL(request.url);
    const type = request.headers.get("content-type");
    rest.request = { method: request.method, path: pathname + search, type, body: await request.text() };
  }
  if (file_wrapper) {
    const read = Buffer.from(await file_wrapper.read());
    const chunks: Uint8Array[] = [];
    for await (const chunk of file_wrapper.stream()) chunks.push(chunk);
    if (!Buffer.concat(chunks).equals(read)) throw new Error("stream() and read() differ");
    if (!readFileSync(file_wrapper.path).equals(read)) throw new Error("the file and read() differ");
    rest.file_wrapper = { path: file_wrapper.path, content: read.toString("base64") };
  }
  return rest;
}

async function looked(state: Any, look: Action["look"]): Promise<Any> {
  const seen: Any = { keys: [...(await state.keys())].sort(byKey((key: Any) => key)) };
  if (!look) return seen;
  const ofEvent = (event: Any): [string, string] => [event.type, event.state_key];
  seen.get = await Promise.all(look.get.map(async (key) => (await state.get(...key)) ?? null));
  seen.getMany = [...(await state.getMany(look.getMany))].sort(byKey(ofEvent));
  seen.all = [...(await state.all())].sort(byKey(ofEvent));
  return seen;
}

/** Python's order of strings: by code point. */
function byKey(key: (item: Any) => [string, string]) {
  return (a: Any, b: Any) => {
    const [left, right] = [key(a), key(b)];
    return compare(left[0], right[0]) || compare(left[1], right[1]);
  };
}

function compare(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

export function apply(target: Any, operations: readonly Operation[]): void {
  for (const operation of operations) {
    const parents = operation.path.slice(0, -1);
    const last = operation.path.at(-1) as string;
    const holder = parents.reduce<Any>((value, key) => value[key], target);
    if ("push" in operation) holder[last].push(structuredClone(operation.push));
    else if ("unset" in operation && Array.isArray(holder)) holder.splice(Number(last), 1);
    else if ("unset" in operation) delete holder[last];
    else holder[last] = structuredClone(operation.set);
  }
}

export function thrown(spec: ThrowSpec): Error {
  if ("exception" in spec) return new Error(spec.exception);
  const { code, msg, errcode, additional_fields } = spec.synapse_error;
  return new SynapseError(code, msg, errcode, additional_fields);
}

function answered(spec: AnswerSpec, { event, state_updates }: Any): Any {
  if ("not_spam" in spec) return NOT_SPAM;
  if ("code" in spec) {
    const code = Codes[spec.code as keyof typeof Codes];
    return spec.fields ? [code, spec.fields] : code;
  }
  if ("behaviour" in spec) return RegistrationBehaviour[spec.behaviour as keyof typeof RegistrationBehaviour];
  if ("routes" in spec) {
    const states = (about: readonly string[]) =>
      state_updates.filter(({ user_id }: Any) => about.includes(user_id));
    return Object.fromEntries(Object.entries(spec.routes).map(([to, about]) => [to, states(about)]));
  }
  if ("pair" in spec) return [spec.pair, null];
  if (!("replace" in spec)) return spec.value;
  const replacement = { ...spec.replace.event } as Any;
  if (spec.replace.content) {
    replacement.content = structuredClone(event.content);
    apply(replacement.content, spec.replace.content);
  }
  if (spec.as === "pair") return [true, replacement];
  return spec.as === "event" ? { ...event, ...replacement } : replacement;
}
