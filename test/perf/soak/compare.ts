/** Makes the answers of two servers comparable: what a server makes up (ids, times) goes, all else stays. */
import { isDeepStrictEqual } from "node:util";
import type { Answer, Body } from "../../support/client.js";

const madeUp = new Set(["origin_server_ts", "age", "unsigned"]);

export function isEqual(left: readonly Answer[], right: readonly Answer[]): boolean {
  return isDeepStrictEqual(left.map(normal), right.map(normal));
}

export function normal({ status, body }: Answer): { status: number; body: Body } {
  return { status, body: plain(body) };
}

function plain(value: Body): Body {
  if (typeof value === "string") return withoutIds(value);
  if (Array.isArray(value)) {
    const items = value.map(plain);
    // Lists of events and of users come in no order that means anything here.
    return items.every((item) => typeof item === "object") ? items.sort(byText) : items;
  }
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => !madeUp.has(key));
  return Object.fromEntries(kept.sort(byText).map(([key, item]) => [withoutIds(key), plain(item)]));
}

function withoutIds(text: string): string {
  return text
    .replace(/mxc:\/\/[^/]+\/\w+/g, "mxc://MEDIA")
    .replace(/\$[\w-]{43}/g, "$EVENT")
    .replace(/![\w-]{18,43}(:[\w.]+)?/g, "!ROOM");
}

function byText(left: unknown, right: unknown): number {
  const [a, b] = [JSON.stringify(left), JSON.stringify(right)];
  return a < b ? -1 : a > b ? 1 : 0;
}
