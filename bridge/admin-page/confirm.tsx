// Asks before something that users notice, in the browser's own dialog: it keeps the focus inside, and Escape says no.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface ConfirmProps {
  readonly title: string;
  readonly children: ComponentChildren;
  /** What the buttons say and do. The last one does what was asked for. */
  readonly choices: readonly {
    readonly text: string;
    readonly act: () => void;
    readonly isGrave?: boolean;
  }[];
  readonly onCancel: () => void;
}

export function Confirm({ title, children, choices, onCancel }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby="confirm-title"
      onCancel={(event) => {
        event.preventDefault();
        onCancel();
      }}
    >
      <h2 id="confirm-title">{title}</h2>
      {children}
      <div class="buttons">
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
        {choices.map(({ text, act, isGrave }) => (
          <button key={text} type="button" class={isGrave ? "grave" : "main"} onClick={act}>
            {text}
          </button>
        ))}
      </div>
    </dialog>
  );
}
