// Does what an admin has asked for, one thing at a time, and keeps what became of it. What is asked for meanwhile is not done:
// a button that were disabled instead would lose the keyboard's focus.
import { useCallback, useRef, useState } from "preact/hooks";
import { textOf } from "./requests.js";

export interface Outcome {
  readonly kind: "good" | "bad";
  readonly text: string;
}

export interface Acting {
  readonly isBusy: boolean;
  readonly outcome: Outcome | undefined;
  /** `action` gives the sentence for its success. */
  readonly act: (action: () => Promise<string>) => Promise<void>;
}

export function useActing(): Acting {
  const [isBusy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome>();
  const busy = useRef(false);
  const act = useCallback(async (action: () => Promise<string>) => {
    if (busy.current) return;
    busy.current = true;
    setBusy(true);
    setOutcome(undefined);
    try {
      setOutcome({ kind: "good", text: await action() });
    } catch (error) {
      setOutcome({ kind: "bad", text: textOf(error) });
    } finally {
      busy.current = false;
      setBusy(false);
    }
  }, []);
  return { isBusy, outcome, act };
}
