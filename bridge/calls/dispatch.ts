// Asks the modules of one call in order until one decides, by the rules that the catalogue declares for the callback. It does
// no I/O of its own, and knows no failure policy: that belongs to the shim.

import { performance } from "node:perf_hooks";
import { exactJson, markExact } from "../base/exact-json.js";
import { isObject } from "../base/is-object.js";
import { whatJsonLoses } from "../base/json-check.js";
import { describeThrown, readableThrown } from "../base/thrown.js";
import type { Callback, Catalogue } from "../catalogue/catalogue.js";
import type { Asked, Call, ErrorData, Reply } from "../catalogue/protocol.js";
import { runAsModule } from "../logging/current-module.js";
import { newOrigin, runWithOrigin } from "../module-api/origin.js";
import { isSynapseError } from "../sdk/errors.js";
import {
  CallError,
  cancelled,
  fromSynapseError,
  moduleFault,
  moduleUnavailable,
} from "../transport/call-error.js";
import { type Cancellation, untilAborted } from "../transport/cancellation.js";
import { redactSynapseError, redactThrown } from "../transport/redaction.js";
import { readAnswer, UnfitAnswer } from "./answer.js";
import { checkAuthenticated } from "./authenticated.js";
import { makeContext, type RunningModule } from "./context.js";
import type { FollowUps } from "./follow-ups.js";
import { ReasonGiven } from "./given-reason.js";
import { Lifetime } from "./lifetime.js";
import { type ParamSources, type PreparedParams, prepareParams } from "./params.js";
import { fromWire } from "./wire-errors.js";

/** Asks a module that runs in a thread. Undefined if no thread has a module of that name. */
export type AskThread = (
  name: string,
  callback: string,
  call: Call,
  cancellation: Cancellation,
) => Promise<Reply> | undefined;

/** What is the same for all calls. */
export interface DispatchEnvironment extends ParamSources {
  followUps: FollowUps;
  askThread?: AskThread | undefined;
  /** Called when a module has answered under a membership lock without awaiting all of its api calls. */
  notAwaited?(call: number, module: string): void;
  /** Told of an error that nobody waits for: of a module that was asked about a notification. */
  onNotifyError?(error: CallError): void;
}

/** Returns the reply. Throws a CallError whose data tells which modules were asked. */
export async function dispatch(
  callback: Callback,
  call: Call,
  cancellation: Cancellation,
  environment: DispatchEnvironment,
): Promise<Reply> {
  const asked: Asked[] = [];
  try {
    const reply = await askInOrder(callback, call, cancellation, environment, asked);
    return markExact(reply, reply.answer);
  } catch (error) {
    if (error instanceof CallError) error.data.asked = asked;
    throw error;
  }
}

async function askInOrder(
  callback: Callback,
  call: Call,
  cancellation: Cancellation,
  environment: DispatchEnvironment,
  asked: Asked[],
): Promise<Reply> {
  const { pass = [] } = environment.catalogue.type(callback.result);
  const prepared = prepareParams(callback, call, cancellation, environment);
  const edited = callback.edits === undefined ? undefined : call.params[callback.edits];
  let before = edited === undefined ? undefined : exactJson(edited);
  let editor: Pick<Reply, "module" | "given_reason"> | null = null;
  for (const name of call.modules) {
    if (cancellation.requested) throw cancelled();
    const started = performance.now();
    let answer: unknown;
    let failed = false;
    const said = new ReasonGiven((message) =>
      environment.modules
        .get(name)
        ?.log.warn({ request: call.request }, `${name}: ${callback.name}: ${message}`),
    );
    try {
      answer = await ask(name, callback, call, prepared, cancellation, environment, asked, said);
    } catch (error) {
      if (error instanceof CallError && error.kind === "synapse_error" && said.reason)
        error.data.given_reason = said.reason;
      // The shim wants to know which module was running at the deadline.
      if (error instanceof CallError && error.kind === "cancelled") error.data.module = name;
      if (callback.delivery !== "notify" || !(error instanceof CallError)) throw error;
      // The shim asks once more what may have ended a thread, and then the modules after this one.
      if (error.kind === "cancelled" || error.kind === "module_ended") throw error;
      // Nobody waits for an answer to a notification, so the next module is asked all the same. A fault is logged already.
      if (error.kind !== "module_fault")
        environment.modules
          .get(name)
          ?.log.error({ request: call.request }, `${callback.name}: ${error.message}`);
      environment.onNotifyError?.(error);
      failed = true;
      answer = null;
    } finally {
      const ms = Math.round((performance.now() - started) * 1000) / 1000;
      asked.push(failed ? { module: name, ms, failed } : { module: name, ms });
    }
    if (before !== undefined) {
      const after = exactJson(edited);
      if (after !== before) editor = { module: name, ...withReason(said) };
      before = after;
    }
    if (!pass.some((value) => same(value, answer)))
      return { answer, module: name, asked, ...withReason(said) };
  }
  if (editor !== null) return { answer: edited, ...editor, asked };
  return { answer: pass[0] ?? null, module: null, asked };
}

function withReason({ reason }: ReasonGiven): Pick<Reply, "given_reason"> {
  return reason === undefined ? {} : { given_reason: reason };
}

/** Whether two values have the same JSON. */
function same(value: unknown, answer: unknown): boolean {
  if (typeof value !== "object" || value === null) return value === answer;
  return exactJson(value) === exactJson(answer);
}

async function ask(
  name: string,
  callback: Callback,
  call: Call,
  prepared: PreparedParams,
  cancellation: Cancellation,
  environment: DispatchEnvironment,
  asked: readonly Asked[],
  said: ReasonGiven,
): Promise<unknown> {
  const running = environment.modules.get(name);
  const declared = running?.module.callbacks.get(callback.name);
  const entry = call.entry === undefined ? declared : declared?.checkers?.[call.entry];
  const handler = entry?.handler;
  if (!running || !handler) return askInThread(name, callback, call, cancellation, environment, asked, said);
  const { setup } = running;
  const data = setup.done ? setup.data : await setup.ready(cancellation);
  const lifetime = new Lifetime(callback.name, cancellation);
  // Only where it is needed: tracking awaits makes all promises of the process slower.
  const origin = callback.membership_lock && newOrigin(call.call);
  const context = makeContext(running, data, cancellation, call.request, said.give);
  const warn = (message: string) => running.log.warn({ request: call.request }, `${name}: ${message}`);
  const settled = (outcome: { answer: unknown } | { failure: CallError }) =>
    entry.settled?.(context, { ...outcome, reason: said.reason?.text });
  try {
    const run = () => runAsModule(name, call.request, () => handler(prepared.forModule(lifetime), context));
    const handled = origin ? runWithOrigin(origin, run) : run();
    const given = await untilAborted(handled, cancellation);
    const problem =
      callback.edits === undefined ? undefined : whatJsonLoses(call.params[callback.edits], prepared.isRare);
    if (problem) throw new UnfitAnswer(`left something in ${callback.edits} that is not JSON: ${problem}`);
    const answer = takesFollowUp(callback, environment.catalogue)
      ? environment.followUps.keep(name, callback, given)
      : given;
    const read = readAnswer(callback, answer, environment.catalogue, warn, prepared.isRare);
    if (callback.result === "Authenticated")
      await untilAborted(checkAuthenticated(read, running.api), cancellation);
    settled({ answer: callback.edits === undefined ? read : call.params[callback.edits] });
    return read;
  } catch (thrown) {
    const error = readableThrown(thrown);
    const failure = error instanceof CallError ? error : failureOf(running, callback, error, call.request);
    settled({ failure });
    throw failure;
  } finally {
    lifetime.end();
    if (origin) origin.over = true;
    if (origin && origin.pending > 0) environment.notAwaited?.(call.call, name);
  }
}

/** What the shim is told of what a handler threw. */
function failureOf(
  running: RunningModule,
  callback: Callback,
  error: unknown,
  request: string | null,
): CallError {
  const failure = toCallError(running, callback, error, request);
  if (!callback.secret || failure.kind !== "synapse_error") return withCause(failure, error);
  return withCause(redactSynapseError(failure.data as ErrorData["synapse_error"]), error);
}

/** Asks a module that has a thread. */
async function askInThread(
  name: string,
  callback: Callback,
  call: Call,
  cancellation: Cancellation,
  environment: DispatchEnvironment,
  asked: readonly Asked[],
  said: ReasonGiven,
): Promise<unknown> {
  const question = { ...call, modules: [name] };
  if (call.time_left_ms !== undefined)
    question.time_left_ms = call.time_left_ms - asked.reduce((sum, { ms }) => sum + ms, 0);
  const reply = await environment.askThread?.(name, callback.name, question, cancellation)?.catch((error) => {
    throw fromWire(error);
  });
  if (!reply) throw moduleUnavailable(name, `the host has no module that answers ${callback.name}`);
  // Its log has it already.
  if (reply.asked.some(({ failed }) => failed))
    throw moduleFault(name, "threw", `${callback.name} failed in its thread`);
  said.reason = reply.given_reason;
  if (callback.edits === undefined) return reply.answer;
  if (reply.module !== null) replaceContent(call.params[callback.edits], reply.answer);
  return null;
}

/** Replaces the content of the object that all modules of the call edit. */
function replaceContent(object: unknown, by: unknown): void {
  if (!isObject(object) || !isObject(by)) return;
  for (const key of Object.keys(object)) delete object[key];
  for (const [key, value] of Object.entries(by))
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

function takesFollowUp({ result }: Callback, catalogue: Catalogue): boolean {
  return catalogue.type(result).follow_up === true;
}

/** Converts what a handler threw to a CallError. A fault is logged here: the answer of a policy would not say what is wrong. */
export function toCallError(
  { module: { name }, log }: RunningModule,
  callback: Callback,
  error: unknown,
  request: string | null,
): CallError {
  if (error instanceof UnfitAnswer) {
    const fault = moduleFault(name, "answer", `${callback.name} ${error.message}`);
    log.error({ request }, fault.message);
    return fault;
  }
  const told = isSynapseError(error)
    ? fromSynapseError(name, callback.name, error, (message) => log.warn({ request }, `${name}: ${message}`))
    : undefined;
  if (told?.kind === "synapse_error") return told;
  const hidden = callback.secret ? redactThrown(error) : undefined;
  const what = `${callback.name} threw ${hidden?.message ?? describeThrown(error)}`;
  const fault = told ?? moduleFault(name, "threw", what);
  log.error({ request, err: hidden ?? error }, fault.message);
  return fault;
}

/** Notes what the module has thrown. It never leaves this process. */
export function withCause(failure: CallError, thrown: unknown): CallError {
  failure.cause = thrown;
  return failure;
}
