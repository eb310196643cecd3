// Calls the ModuleApi from inside the callback that a test names, once, and tells which callbacks were called.
import { setTimeout as pause } from "node:timers/promises";
import {
  defineModule,
  isApiError,
  isSynapseError,
  NOT_SPAM,
  RegistrationBehaviour,
} from "synapse-module-bridge";

// biome-ignore lint/suspicious/noExplicitAny: the method is named by the test
type Any = any;

interface Plan {
  readonly inside: string;
  /** The callback's parameters that must be so. */
  readonly where?: Readonly<Record<string, unknown>>;
  readonly method: string;
  readonly params: object;
  readonly awaited: boolean;
}

interface Data {
  plan: Plan | undefined;
  seen: string[];
  outcome: Any;
}

async function act({ method, params, awaited }: Plan, data: Data, api: Any): Promise<void> {
  let [owner, target]: [unknown, Any] = [undefined, api];
  for (const key of method.split(".")) [owner, target] = [target, target[key]];
  const began = Date.now();
  const called = (target.call(owner, params) as Promise<unknown>).then(
    () => {
      data.outcome = { ok: true };
    },
    (error) => {
      const kind = isApiError(error) ? error.kind : isSynapseError(error) ? error.errcode : "other";
      data.outcome = { error: String(error), kind, ms: Date.now() - began };
    },
  );
  if (awaited) await called;
  // A little later, it waits for the lock.
  else await pause(50);
}

async function called(name: string, params: Any, { data, api }: { data: Data; api: object }): Promise<void> {
  data.seen.push(name);
  const { plan } = data;
  if (plan?.inside !== name) return;
  const subject = params.event ?? params;
  if (!Object.entries(plan.where ?? {}).every(([key, value]) => subject[key] === value)) return;
  data.plan = undefined;
  await act(plan, data, api);
}

export default defineModule({
  setup: (): Data => ({ plan: undefined, seen: [], outcome: null }),
  callbacks: {
    async user_may_join_room(params, context) {
      await called("user_may_join_room", params, context);
      return NOT_SPAM;
    },
    async user_may_invite(params, context) {
      await called("user_may_invite", params, context);
      return NOT_SPAM;
    },
    async user_may_create_room(params, context) {
      await called("user_may_create_room", params, context);
      return NOT_SPAM;
    },
    async check_event_for_spam(params, context) {
      await called("check_event_for_spam", params, context);
      return NOT_SPAM;
    },
    async check_event_allowed(params, context) {
      await called("check_event_allowed", params, context);
      return true;
    },
    async check_registration_for_spam(params, context) {
      await called("check_registration_for_spam", params, context);
      return RegistrationBehaviour.ALLOW;
    },
    async check_visibility_can_be_modified(params, context) {
      await called("check_visibility_can_be_modified", params, context);
      return true;
    },
    async check_can_shutdown_room(params, context) {
      await called("check_can_shutdown_room", params, context);
      return true;
    },
    on_create_room: (params, context) => called("on_create_room", params, context),
    on_new_event: (params, context) => called("on_new_event", params, context),
    on_profile_update: (params, context) => called("on_profile_update", params, context),
    on_threepid_bind: (params, context) => called("on_threepid_bind", params, context),
    on_add_user_third_party_identifier: (params, context) =>
      called("on_add_user_third_party_identifier", params, context),
  },
  web_resources: {
    "/_synapse/client/reenter/plan": async (request, { data }) => {
      Object.assign(data, { plan: await request.json(), seen: [], outcome: null });
      return {};
    },
    "/_synapse/client/reenter/seen": (_request, { data }) => ({
      ...{ planned: data.plan !== undefined, seen: data.seen, outcome: data.outcome },
    }),
  },
});
