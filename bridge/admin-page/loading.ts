// Loads what a view shows. A failure keeps what was there before, and says since when it is old.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { textOf } from "./requests.js";

export interface Loaded<T> {
  readonly value?: T;
  /** When `value` came, by the browser's clock. */
  readonly at?: number;
  /** Why the last try failed. */
  readonly problem?: string;
  readonly isLoading: boolean;
  readonly reload: () => void;
}

/** Loads at once, and again whenever `load` is another function: callers keep it with useCallback. */
export function useLoaded<T>(load: () => Promise<T>): Loaded<T> {
  const [state, setState] = useState<Omit<Loaded<T>, "reload">>({ isLoading: true });
  // What comes after a newer question, or after the view has gone, is dropped.
  const newest = useRef(0);
  const reload = useCallback(() => {
    newest.current += 1;
    const mine = newest.current;
    const isNewest = () => mine === newest.current;
    setState((before) => ({ ...before, isLoading: true }));
    load().then(
      (value) => isNewest() && setState({ value, at: Date.now(), isLoading: false }),
      (error) =>
        isNewest() && setState((before) => ({ ...before, problem: textOf(error), isLoading: false })),
    );
  }, [load]);
  useEffect(() => {
    reload();
    return () => {
      newest.current += 1;
    };
  }, [reload]);
  return { ...state, reload };
}

/** As useLoaded, and again some time after each answer, while the page can be seen. */
export function usePolled<T>(load: () => Promise<T>, everyMs: number): Loaded<T> {
  const loaded = useLoaded(load);
  const { isLoading, reload } = loaded;
  useEffect(() => {
    if (isLoading) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const plan = () => {
      clearTimeout(timer);
      if (!document.hidden) timer = setTimeout(reload, everyMs);
    };
    const look = () => {
      clearTimeout(timer);
      if (!document.hidden) reload();
    };
    plan();
    document.addEventListener("visibilitychange", look);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [isLoading, reload, everyMs]);
  return loaded;
}
