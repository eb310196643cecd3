// Refuses what a test gives and the kit would never look at: a test with a misspelt key would pass or fail for another reason.
// (Most test runners do not check types.)
import { isObject } from "../base/is-object.js";
import { checkKeys } from "../base/known-words.js";
import { didYouMean } from "../base/nearest.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import type { FakeApi, RoomOption, UserOption } from "./options.js";

const USER: Readonly<Record<keyof UserOption, true>> = {
  ...{ created: true, admin: true, deactivated: true, guest: true, shadow_banned: true },
  ...{ display_name: true, avatar_url: true, user_type: true, appservice_id: true, threepids: true },
  account_data: true,
};
const ROOM: Readonly<Record<keyof RoomOption, true>> = {
  ...{ state: true, room_version: true, public: true, aliases: true },
};

/** Throws a TypeError. */
export function checkUser(user_id: string, user: unknown): void {
  checkOption(`users: ${user_id}`, user, USER);
}

/** Throws a TypeError. */
export function checkRoom(room_id: string, room: unknown): void {
  checkOption(`rooms: ${room_id}`, room, ROOM);
}

function checkOption(where: string, given: unknown, known: object): void {
  if (!isObject(given)) throw new TypeError(`${where}: must be an object`);
  checkKeys(where, given, known);
}

/** Throws a TypeError for what is no method and no property of the api, and for a method that is no function. */
export function checkApi(api: FakeApi, { methods, properties }: Catalogue): void {
  for (const [name, value] of Object.entries(api as Record<string, unknown>)) {
    if (value === undefined || properties.has(name)) continue;
    const paths = isObject(value) ? Object.keys(value).map((inner) => `${name}.${inner}`) : [name];
    for (const path of paths) {
      if (!methods.has(path))
        throw new TypeError(`api: there is no method ${path}${didYouMean(path, methods.keys())}`);
      const given = isObject(value) ? value[path.slice(name.length + 1)] : value;
      if (typeof given !== "function")
        throw new TypeError(`api: ${path} must be a function that gives the answer`);
    }
  }
}
