// Completes the parameters of a call as a test writes them: events, the room's state, files, and what has a default.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { isObject } from "../base/is-object.js";
import { whatJsonLoses } from "../base/json-check.js";
import { didYouMean } from "../base/nearest.js";
import { findParamProblems } from "../calls/params.js";
import type { Callback, Catalogue } from "../catalogue/catalogue.js";
import { wholeEvent, writtenFields } from "./event.js";
import type { RoomOption } from "./options.js";
import type { Room, World } from "./world.js";

type Params = Record<string, unknown>;

export interface Question {
  params: Params;
  /** The room whose state the call has. */
  room: Room | undefined;
  /** Who makes the request that is one of the parameters. */
  user: string | undefined;
  /** Removes the files that were written for the call. */
  cleanUp(): void;
}

/** Throws a TypeError that names every parameter that does not fit. */
export function completeParams(
  callback: Callback,
  given: object,
  world: World,
  catalogue: Catalogue,
): Question {
  const written = given as Params;
  const types = Object.entries(callback.params);
  const hasState = types.some(([, type]) => type === "StateEvents");
  const known = [...Object.keys(callback.params), ...(hasState ? ["room"] : [])];
  const unknown = Object.keys(written).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const named = unknown.map((name) => `${name}${didYouMean(name, known)}`).join(", ");
    throw new TypeError(`${callback.name} has no parameter ${named}; it has ${known.join(", ")}`);
  }
  const room = hasState ? roomOf(callback, written, world) : undefined;
  const params: Params = {};
  let folder: string | undefined;
  let user: string | undefined;
  for (const [name, type] of types) {
    const value = written[name];
    if (type === "Event" && isObject(value)) params[name] = completeEvent(value, room, world);
    else if (type === "StateEvents") params[name] = { events: room?.all ?? [] };
    else if (type === "FileWrapper" && (typeof value === "string" || value instanceof Uint8Array)) {
      folder ??= mkdtempSync(path.join(tmpdir(), "module-bridge-"));
      params[name] = { path: path.join(folder, "file") };
      writeFileSync(path.join(folder, "file"), value);
    } else if (type === "HttpRequest" && isObject(value)) params[name] = request(value, world);
    else {
      const completed = complete(type, value, world);
      if (completed !== undefined) params[name] = completed;
    }
  }
  const cleanUp = () => folder !== undefined && rmSync(folder, { recursive: true, force: true });
  const lost = whatJsonLoses(params);
  if (lost) {
    cleanUp();
    throw new TypeError(`${callback.name}: ${lost}, which Synapse never passes`);
  }
  const problems = findParamProblems(callback, params, catalogue);
  if (problems.length > 0) {
    cleanUp();
    throw new TypeError(`${callback.name}: ${problems.join("; ")}`);
  }
  return { params, room, user, cleanUp: () => void cleanUp() };
}

function roomOf(callback: Callback, written: Params, world: World): Room {
  const { state_events: state, event } = written;
  const named = isObject(state) && "room" in state ? state.room : written.room;
  const events = Array.isArray(state) ? state : isObject(state) ? state.events : undefined;
  const id = isObject(event) ? writtenFields(event).room_id : written.room_id;
  const room_id = typeof id === "string" ? id : undefined;
  if (events !== undefined) {
    if (!Array.isArray(events))
      throw new TypeError(`${callback.name}: state_events.events must be a list of events`);
    return world.room(room_id, { state: events } as RoomOption);
  }
  if (isObject(named)) return world.room(room_id, named as RoomOption);
  if (typeof named === "string") {
    const room = world.rooms.get(named);
    if (room) return room;
    const known = [...world.rooms.keys()].join(", ") || "none";
    throw new TypeError(`${callback.name}: there is no room ${named} in \`rooms\` (${known})`);
  }
  if (state !== undefined)
    throw new TypeError(
      `${callback.name}: state_events is { room }, with an id of \`rooms\`, or a list of events`,
    );
  const own = room_id === undefined ? only(world.rooms) : world.rooms.get(room_id);
  return own ?? world.room(room_id ?? `!room:${world.server_name}`, {});
}

function only<T>(map: ReadonlyMap<string, T>): T | undefined {
  return map.size === 1 ? [...map.values()][0] : undefined;
}

function completeEvent(event: object, room: Room | undefined, world: World): object {
  const written = writtenFields(event);
  const own =
    room ?? (typeof written.room_id === "string" ? world.rooms.get(written.room_id) : only(world.rooms));
  const now = world.clock.now();
  if (own && (written.room_id === undefined || written.room_id === own.room_id))
    return own.whole(written, now);
  return wholeEvent(written, { room_id: `!room:${world.server_name}`, now });
}

/** The value of a parameter of this type, with what has a default. */
function complete(type: string, value: unknown, world: World): unknown {
  if (type.endsWith("?")) return value === undefined ? null : complete(type.slice(0, -1), value, world);
  const given = isObject(value) ? value : {};
  switch (type) {
    case "Flag":
      return value ?? false;
    case "RequestInfo":
      return value ?? [];
    case "JsonObject":
    case "RoomConfig":
    case "StateContent":
    case "RequestContent":
      return value ?? {};
    case "Requester": {
      const user_id = typeof value === "string" ? value : given.user_id;
      if (user_id === undefined) return value;
      return {
        ...{ user_id, access_token_id: 1, is_guest: false, scope: [], shadow_banned: false },
        ...{ device_id: "DEVICE", app_service_id: null, authenticated_entity: user_id },
        ...given,
      };
    }
    case "UserProfile": {
      const user_id = typeof value === "string" ? value : given.user_id;
      if (typeof user_id !== "string") return value;
      const { display_name = null, avatar_url = null } = world.users.get(user_id) ?? {};
      return { user_id, display_name, avatar_url, ...given };
    }
    case "ProfileInfo":
      return value === undefined ? undefined : { display_name: null, avatar_url: null, ...given };
    case "FileInfo":
      return { server_name: null, file_id: "file", url_cache: false, thumbnail: null, ...given };
    default:
      return value;
  }
}

/** The parts of a request, as the shim sends them. */
export function request(given: object, world: World): object {
  const { method = "GET", url = "/", headers = {}, body = "" } = given as Record<string, unknown>;
  const listed =
    isObject(headers) && !(headers instanceof Headers) ? Object.entries(headers) : [...(headers as Headers)];
  const bytes = body instanceof Uint8Array ? Buffer.from(body) : Buffer.from(String(body ?? ""));
  return {
    ...{ method, url: new URL(String(url), `https://${world.server_name}`).href },
    ...{ headers: listed.map(([name, value]) => [name, String(value)]), body: bytes.toString("base64") },
  };
}
