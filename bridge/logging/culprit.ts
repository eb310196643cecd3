// Names the module that a stack goes through. A message may hold any text, so only the frames after it count.

export interface Owner {
  name: string;
  /** The file that the configuration names. */
  file: string;
  /** It, and what was loaded from its folder. */
  files: readonly string[];
}

/** How far down the stack to look. */
export const MOST_FRAMES = 40;
// Mostly enough: Node's own of a `console.log`, and the first of the module.
const NEAR_FRAMES = 14;

/** The frames of an error's stack, without its message. */
export function framesOf({ message, stack }: Error): string[] {
  const at = String(stack).indexOf(message);
  if (at === -1) return [];
  const rest = String(stack).slice(at + message.length);
  return rest.split("\n").filter((line) => line.startsWith("    at ") && placeOf(line) !== undefined);
}

/** The module whose code is nearest: what it names itself before what several may share. */
export function culpritOf(frames: readonly string[], owners: Iterable<Owner>): string | undefined {
  return ownerOf(
    frames.map(placeOf).filter((place) => place !== undefined),
    [...owners],
  );
}

/** The same of the code that runs now. It is asked at each line that is printed: no text is made of the stack. */
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

/** Of `    at name (place:line:column)`, or without a name. */
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

/** The files of the code that runs now, nearest first. */
function filesHere(most: number): string[] {
  const { stackTraceLimit, prepareStackTrace } = Error;
  const here: { stack?: unknown } = {};
  Error.stackTraceLimit = most;
  Error.prepareStackTrace = (_, sites) => sites.map((site) => site.getFileName());
  try {
    Error.captureStackTrace(here, filesHere);
    // It is made when it is looked at.
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
