// Who is signed in: gets a token by Matrix's client API, keeps it for this tab, and revokes it.
import { request, type Session, SignInError, statusOf } from "./requests.js";

// `sessionStorage` belongs to one tab and ends with it. Unlike a variable, it survives a reload of the page.
const KEY = "synapse_module_bridge.session";
const MATRIX = "/_matrix/client/v3";

export function kept(): Session | undefined {
  const text = sessionStorage.getItem(KEY);
  if (text === null) return undefined;
  try {
    const { token, userId, isOwn } = JSON.parse(text);
    if (typeof token === "string" && token !== "")
      return { token, isOwn: isOwn === true, ...(typeof userId === "string" && { userId }) };
  } catch {
    // Something else wrote it: as good as nothing.
  }
  forget();
  return undefined;
}

export function forget(): void {
  sessionStorage.removeItem(KEY);
}

/** Whether this server lets users log in with a password. */
export async function offersPassword(): Promise<boolean> {
  const { flows } = await request<{ flows: { type: string }[] }>("GET", `${MATRIX}/login`);
  return flows.some(({ type }) => type === "m.login.password");
}

export async function signInWithPassword(user: string, password: string): Promise<Session> {
  const body = {
    type: "m.login.password",
    identifier: { type: "m.id.user", user },
    password,
    initial_device_display_name: "Module bridge: admin page",
  };
  const { access_token, user_id } = await request<{ access_token: string; user_id: string }>(
    "POST",
    `${MATRIX}/login`,
    { body },
  );
  const session = { token: access_token, userId: user_id, isOwn: true };
  try {
    await check(session);
  } catch (error) {
    // This page made the token, and nobody can use it.
    await revoke(session).catch(() => undefined);
    throw error;
  }
  return keep(session);
}

export async function signInWithToken(token: string): Promise<Session> {
  const session = { token, isOwn: false };
  await check(session);
  const userId = await whose(session).catch(() => undefined);
  return keep({ ...session, ...(userId !== undefined && { userId }) });
}

/** Ends the token at the server, for all who have it. */
export async function revoke(session: Session): Promise<void> {
  try {
    await request("POST", `${MATRIX}/logout`, { session, body: {} });
  } catch (error) {
    if (statusOf(error) !== 401) throw error; // else it has ended already
  }
}

/** Whether the server still takes the token. The admin API does not tell: it answers 404 to everybody who is no admin. */
export async function isOver(session: Session): Promise<boolean> {
  try {
    await whose(session);
    return false;
  } catch (error) {
    return statusOf(error) === 401;
  }
}

async function whose(session: Session): Promise<string> {
  const { user_id } = await request<{ user_id: string }>("GET", `${MATRIX}/account/whoami`, { session });
  return user_id;
}

async function check(session: Session & { userId?: string }): Promise<void> {
  try {
    await request("GET", "v1/status", { session });
  } catch (error) {
    const status = statusOf(error);
    if (status !== 401 && status !== 403 && status !== 404) throw error;
    if (await isOver(session))
      throw new SignInError(
        "The server does not know this token. It may have ended: get another one, or sign in with a password.",
      );
    const who = session.userId ?? (await whose(session).catch(() => "This account"));
    throw new SignInError(
      `${who} is no server admin, so the server shows nothing here. Sign in as a server admin.`,
    );
  }
}

function keep(session: Session): Session {
  sessionStorage.setItem(KEY, JSON.stringify(session));
  return session;
}
