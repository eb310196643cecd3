// The button that ends the session: it revokes the token at the server and forgets it here.
import { useState } from "preact/hooks";
import { Confirm } from "./confirm.js";
import { Message } from "./parts.js";
import { type Session, textOf } from "./requests.js";
import { revoke } from "./session.js";

interface SignOutProps {
  readonly session: Session;
  readonly onSignedOut: (text: string) => void;
}

export function SignOut({ session, onSignedOut }: SignOutProps) {
  const [isAsking, setAsking] = useState(false);
  const [problem, setProblem] = useState<string>();

  async function end() {
    try {
      await revoke(session);
      onSignedOut("You are signed out. The token has been revoked.");
    } catch (error) {
      setProblem(textOf(error));
      setAsking(true);
    }
  }

  return (
    <>
      {/* A token from elsewhere ends with the session that it belongs to: that has to be said first. */}
      <button type="button" onClick={() => (session.isOwn ? void end() : setAsking(true))}>
        Sign out
      </button>
      {isAsking && (
        <Confirm
          title="Sign out"
          onCancel={() => setAsking(false)}
          choices={[
            {
              text: "Only forget it here",
              act: () => onSignedOut("The token is forgotten here. The server takes it still."),
            },
            { text: "Revoke the token", act: () => void end(), isGrave: true },
          ]}
        >
          {problem !== undefined && <Message kind="bad">The token is not revoked. {problem}</Message>}
          {!session.isOwn && (
            <p>
              You have pasted this token. Revoking it also ends the session that it comes from, such as a
              Matrix client.
            </p>
          )}
        </Confirm>
      )}
    </>
  );
}
