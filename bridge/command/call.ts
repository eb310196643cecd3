// Implements the command `call`: asks one module about one call or one web request, without a Synapse, by the authors' kit.

import { readFileSync } from "node:fs";
import path from "node:path";
import { isObject } from "../base/is-object.js";
import { didYouMean } from "../base/nearest.js";
import { readText } from "../base/text-files.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import { nameOf } from "../declarations/module.js";
import type { Logger } from "../logging/log.js";
import { LoadProblems } from "../testing/load-problems.js";
import type { RoomOption } from "../testing/options.js";
import { KitTester } from "../testing/tester.js";
import { forKit, readAnswers, readYaml } from "./api-file.js";
import { problemsInWords } from "./load-alone.js";
import type { ReportProgress } from "./subprocess.js";

type Params = Record<string, unknown>;

export interface CallOptions {
  /** The file with the module's config. */
  config?: string;
  /** The file with the state events of the room. */
  state?: string;
  /** The file with what calls of the api answer, by method. */
  api?: string;
  /** The value of `api.server_name`. */
  serverName: string;
}

/** What the command prints on standard output. */
export interface Called {
  /** The answer, or the body of a response. */
  text: string;
  /** What it came to, for people. */
  summary: string;
}

/** One module, loaded for calls by hand. */
export class ByHand {
  readonly #name: string;

  private constructor(
    private readonly tester: KitTester,
    private readonly room: string,
    private readonly catalogue: Catalogue,
    private readonly report: ReportProgress,
    file: string,
  ) {
    this.#name = nameOf({ path: file });
  }

  /** Loads the module and runs its `setup`. Throws an Error that says what is wrong with it. */
  static async load(
    file: string,
    params: Params,
    options: CallOptions,
    catalogue: Catalogue,
    log: Logger,
    report: ReportProgress = () => {},
  ): Promise<ByHand> {
    const absolute = path.resolve(file);
    report({ loading: absolute });
    const state = options.state === undefined ? [] : readState(options.state);
    const room = roomOf(params, state) ?? `!room:${options.serverName}`;
    const api = options.api === undefined ? {} : forKit(readAnswers(options.api, catalogue), catalogue);
    const settings = {
      ...{ path: absolute, name: nameOf({ path: absolute }) },
      ...(options.config !== undefined && { config_file: path.resolve(options.config) }),
      // The YAML gives them, and there is none.
      grants: "all" as const,
    };
    const rooms = { [room]: { state } as RoomOption };
    const tester = new KitTester([{ settings }], { server_name: options.serverName, rooms, api }, remedy);
    try {
      await tester.start(log, () => report({ asking: "setup" }));
    } catch (error) {
      if (!(error instanceof LoadProblems)) throw error;
      throw new Error(problemsInWords(error.problems, options.config !== undefined), { cause: error });
    }
    return new ByHand(tester, room, catalogue, report, absolute);
  }

  /** Asks about one call. Throws an Error that says what is wrong with the parameters or the answer. */
  async call(name: string, given: Params): Promise<Called> {
    this.report({ asking: name });
    const callback = this.catalogue.callbacks.get(name);
    const known = this.tester.callbacks;
    if (!callback || !known.includes(name)) {
      const has = `it has ${known.join(", ") || "none"}`;
      throw new Error(`${this.#name} has no callback ${name}${didYouMean(name, known)}; ${has}`);
    }
    const hasState = Object.values(callback.params).includes("StateEvents");
    const room = hasState && given.state_events === undefined ? { room: this.room } : {};
    const began = performance.now();
    const result = await this.tester.askByName(name, { ...room, ...given });
    const ms = Math.round((performance.now() - began) * 1000) / 1000;
    if (!result.asked && result.why === "undeclared")
      throw new Error(`${this.#name} checks no login_type ${String(given.login_type)}`);
    if (!result.asked && result.why === "match")
      return {
        text: "not asked: match",
        summary: `${name}: match says no: Synapse does not ask ${this.#name} about this`,
      };
    if (result.error) throw result.error;
    const text = JSON.stringify(result.edits ?? result.answer ?? null, null, 2);
    return {
      text,
      summary: `${name}: ${result.asked ? `answered in ${ms} ms` : `not asked: ${result.why}`}`,
    };
  }

  /** Asks a web resource. */
  async web(url: string): Promise<Called> {
    this.report({ asking: url });
    const began = performance.now();
    const response = await this.tester.fetch(url);
    const ms = Math.round((performance.now() - began) * 1000) / 1000;
    return { text: await response.text(), summary: `${url}: ${response.status} in ${ms} ms` };
  }
}

function remedy(path: string): string {
  return `there is no Synapse to ask for ${path}: give its answer with --api FILE, as { ${JSON.stringify(path)}: … }`;
}

/** Reads the parameters of a call from a file, or from standard input for `-`. */
export function readParams(file: string): Params {
  const where = file === "-" ? "standard input" : file;
  let parsed: unknown;
  try {
    parsed = JSON.parse(file === "-" ? readFileSync(0, "utf8").replace(/^\uFEFF/, "") : readText(file));
  } catch (error) {
    const { message } = error as Error;
    throw new Error(message.includes(where) ? message : `${where}: ${message}`, { cause: error });
  }
  if (!isObject(parsed)) throw new Error(`${where} must hold an object: the callback's parameters by name`);
  return parsed;
}

/** A list of state events, or the answer of `GET /rooms/{id}/state`, which is one. */
function readState(file: string): unknown[] {
  const read = readYaml(file);
  const events = isObject(read) ? read.events : read;
  if (!Array.isArray(events) || !events.every(isObject))
    throw new Error(`${file} must hold a list of state events, each with type, state_key and content`);
  return events;
}

/** The room that the call or its state is about. */
function roomOf({ event, room_id }: Params, state: readonly unknown[]): string | undefined {
  const places = [event, { room_id }, ...state].map((one) => (isObject(one) ? one.room_id : undefined));
  return places.find((id): id is string => typeof id === "string");
}
