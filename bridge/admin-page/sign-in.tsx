// The form that signs an admin in, with a password or with an access token.
import { useEffect, useState } from "preact/hooks";
import { Message } from "./parts.js";
import { type Session, statusOf, textOf } from "./requests.js";
import { offersPassword, signInWithPassword, signInWithToken } from "./session.js";

interface SignInProps {
  /** Why the admin has to sign in again. */
  readonly reason: string | undefined;
  readonly onSignedIn: (session: Session) => void;
}

export function SignIn({ reason, onSignedIn }: SignInProps) {
  const [hasPassword, setHasPassword] = useState<boolean>();
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);

  useEffect(() => {
    offersPassword().then(setHasPassword, (error) => {
      setHasPassword(false);
      setProblem(textOf(error));
    });
  }, []);

  async function signIn(attempt: () => Promise<Session>) {
    if (isBusy) return;
    setBusy(true);
    setProblem(undefined);
    try {
      onSignedIn(await attempt());
    } catch (error) {
      setProblem(textOf(error));
      setBusy(false);
    }
  }

  return (
    <main class="sign-in">
      <h1>Module bridge</h1>
      <p>What the modules of this homeserver decide, for its server admins.</p>
      {reason !== undefined && problem === undefined && <Message kind="note">{reason}</Message>}
      {problem !== undefined && <Message kind="bad">{problem}</Message>}
      {hasPassword === true && (
        <PasswordForm isBusy={isBusy} signIn={(user, word) => signIn(() => loggedIn(user, word))} />
      )}
      <TokenForm isBusy={isBusy} signIn={(token) => signIn(() => signInWithToken(token))} />
      <p class="hint">
        The token stays in this tab: closing the tab forgets it, and signing out ends it at the server.
      </p>
    </main>
  );
}

/** A refused login may be a module's doing: then a password cannot help. */
async function loggedIn(user: string, password: string): Promise<Session> {
  try {
    return await signInWithPassword(user, password);
  } catch (error) {
    if (statusOf(error) !== 403) throw error;
    throw new Error(
      `${textOf(error)}. If the password is right, a module may refuse logins: then sign in with an access token, or switch the module off with the command \`synapse-module-bridge mode\`.`,
    );
  }
}

interface PasswordFormProps {
  readonly isBusy: boolean;
  readonly signIn: (user: string, password: string) => void;
}

function PasswordForm({ isBusy, signIn }: PasswordFormProps) {
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  return (
    <form
      aria-labelledby="by-password"
      onSubmit={(event) => {
        event.preventDefault();
        signIn(user.trim(), password);
        setPassword("");
      }}
    >
      <h2 id="by-password">With a password</h2>
      <label>
        User name
        <input
          name="user"
          autoComplete="username"
          autoCapitalize="none"
          spellcheck={false}
          required
          value={user}
          onInput={({ currentTarget }) => setUser(currentTarget.value)}
        />
      </label>
      <label>
        Password
        <input
          name="password"
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onInput={({ currentTarget }) => setPassword(currentTarget.value)}
        />
      </label>
      <button type="submit" class="main" aria-disabled={isBusy}>
        Sign in
      </button>
    </form>
  );
}

function TokenForm({ isBusy, signIn }: { isBusy: boolean; signIn: (token: string) => void }) {
  const [token, setToken] = useState("");
  return (
    <form
      aria-labelledby="by-token"
      onSubmit={(event) => {
        event.preventDefault();
        signIn(token.trim());
        setToken("");
      }}
    >
      <h2 id="by-token">With an access token</h2>
      <label>
        Access token of a server admin
        <input
          name="token"
          type="password"
          autoComplete="off"
          spellcheck={false}
          required
          value={token}
          onInput={({ currentTarget }) => setToken(currentTarget.value)}
        />
      </label>
      <button type="submit" aria-disabled={isBusy}>
        Use this token
      </button>
    </form>
  );
}
