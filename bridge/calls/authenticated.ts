// Checks the user id that a module answers a login with. For a wrong one, Synapse itself would fail with an error that does
// not name the module.
import { UnfitAnswer } from "./answer.js";

interface Api {
  readonly server_name: string;
  check_user_exists(params: { user_id: string }): Promise<string | null>;
}

/** Throws UnfitAnswer. The message does not contain the id: it may be what somebody has typed. */
export async function checkAuthenticated(answer: unknown, api: object): Promise<void> {
  const user_id: unknown = Array.isArray(answer) ? answer[0] : answer;
  if (typeof user_id !== "string") return;
  const { server_name } = api as Api;
  if (!user_id.startsWith("@") || user_id.indexOf(":") < 2 || !user_id.endsWith(`:${server_name}`))
    throw new UnfitAnswer(
      `answered with something that is not the full id of a user of this server, such as @alice:${server_name}`,
    );
  // If the question fails, Synapse itself will not find the user either, and reports that.
  const registered = await (api as Api).check_user_exists({ user_id }).catch(() => user_id);
  if (registered === null)
    throw new UnfitAnswer("answered with a user that does not exist: register the user first");
  if (registered !== user_id)
    throw new UnfitAnswer(
      "answered with a user whose id is written in another case: answer with the registered id",
    );
}
