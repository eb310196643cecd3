// Finds the module whose code is on a stack. Only the frames count: an error's message can hold any text.

/** A module and the files that belong to it. */
export interface Owner {
  name: string;
  /** The file that the configuration names. */
  file: string;
  /** That file, and the files that it loads. */
  files: readonly string[];
}

/** How many frames of a stack are searched. */
export const MOST_FRAMES = 40;
// Usually enough for the frames of Node's `console.log` and the first one of the module.
const NEAR_FRAMES = 14;

/** The frames of an error's stack, without its message. */
export function framesOf({ message, stack }: Error): string[] {
  const at = String(stack).indexOf(message);
  if (at === -1) return [];
  const rest = String(stack).slice(at + message.length);
  return rest.split("\n").filter((line) => line.startsWith("    at ") && placeOf(line) !== undefined);
}

/**
 * Names the module nearest to the top of the stack. A module's main file counts before its other files, which several
 * modules may share.
 */
export function culpritOf(frames: readonly string[], owners: Iterable<Owner>): string | undefined {
  return ownerOf(
    frames.map(placeOf).filter((place) => place !== undefined),
    [...owners],
  );
}

/** Like culpritOf, for the code that runs now. It is called for each printed line, so it does not format the stack. */
export function culpritHere(owners: Iterable<Owner>): string | undefined {
  const all = [...owners];
  return ownerOf(filesHere(NEAR_FRAMES), all) ?? ownerOf(filesHere(MOST_FRAMES), all);
}

function ownerOf(places: readonly string[], owners: readonly Owner[]): string | undefined {
  for (const place of places) {
    const owner = owners.find(({ file }) => file === place);
    if (owner) return owner.name;
  }
  for (const place of places) {
    const [owner, ...others] = owners.filter(({ files }) => files.includes(place));
    if (owner && others.length === 0) return owner.name;
  }
  return undefined;
}

/** The file of `    at name (file:line:column)`, or of `    at file:line:column`. */
function placeOf(frame: string): string | undefined {
  let text = frame.slice("    at ".length);
  if (text.endsWith(")")) {
    const open = text.indexOf(" (");
    text = open === -1 ? "" : text.slice(open + 2, -1);
  }
  if (text.startsWith("async ")) text = text.slice("async ".length);
  const column = text.lastIndexOf(":");
  const line = text.lastIndexOf(":", column - 1);
  return line <= 0 ? undefined : pathOf(text.slice(0, line));
}

/** The files on the current stack, nearest first. */
function filesHere(most: number): string[] {
  const { stackTraceLimit, prepareStackTrace } = Error;
  const here: { stack?: unknown } = {};
  Error.stackTraceLimit = most;
  Error.prepareStackTrace = (_, sites) => sites.map((site) => site.getFileName());
  try {
    Error.captureStackTrace(here, filesHere);
    // Node computes it when it is read.
    const files = here.stack as (string | null | undefined)[];
    return files.flatMap((file) => (file ? [pathOf(file)] : []));
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    Error.prepareStackTrace = prepareStackTrace;
  }
}

function pathOf(place: string): string {
  if (!place.startsWith("file://")) return place;
  const rest = place.slice("file://".length);
  if (!rest.includes("%")) return rest;
  try {
    return decodeURIComponent(rest);
  } catch {
    return place;
  }
}
