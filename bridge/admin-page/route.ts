// The view that the address names, behind its `#`: what stands there is never sent to a server.
import { useEffect, useState } from "preact/hooks";

export const VIEWS = ["overview", "modules", "decisions", "shadow", "charts"] as const;
export type View = (typeof VIEWS)[number];

export interface Route {
  readonly view: View;
  readonly query: Readonly<Record<string, string>>;
}

export function routeOf(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const view = VIEWS.find((name) => name === path) ?? "overview";
  return { view, query: Object.fromEntries(new URLSearchParams(query)) };
}

export function addressOf(view: View, query: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1]);
  const text = new URLSearchParams(given).toString();
  return `#/${view}${text && `?${text}`}`;
}

/** Where the decisions about something are. */
export function decisionsAddress(
  query: Readonly<Partial<Record<"user" | "room" | "event" | "module", string>>>,
): string {
  return addressOf("decisions", query);
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => routeOf(location.hash));
  useEffect(() => {
    const follow = () => setRoute(routeOf(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return route;
}
