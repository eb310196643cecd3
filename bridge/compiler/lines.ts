// Keeps the lines of a source in the code that is compiled from it, so that every stack names the source's lines, also where
// Node prints it without a source map.
import { decode } from "@jridgewell/sourcemap-codec";

/** A place in the compiled code, and the line and the column of the source that it comes from. All count from 0. */
type Segment = [line: number, column: number, sourceLine: number, sourceColumn: number];

interface Place {
  line: number;
  column: number;
  index?: number | undefined;
}

interface Node {
  type: string;
  loc?: { start: Place; end: Place; identifierName?: string | undefined } | null | undefined;
}

// More than a source has. Each line up to the one that a map names is printed.
const MOST_LINES = 1_000_000;

/** Reads the `mappings` of a source map. Lines that no source has are left out: an author's map may be damaged. */
export class SourceLines {
  readonly #all: readonly Segment[];
  readonly #inOrder: readonly Segment[];

  constructor(mappings: string) {
    this.#all = decode(mappings).flatMap((segments, line) =>
      segments.flatMap(([column, , sourceLine, sourceColumn]) =>
        sourceLine !== undefined && sourceLine >= 0 && sourceLine < MOST_LINES
          ? [[line, column, sourceLine, sourceColumn ?? 0] satisfies Segment]
          : [],
      ),
    );
    this.#inOrder = longestInOrder(this.#all);
  }

  /** The place in the source of a place in the compiled code. Lines count from 1, columns from 0, as in Babel. */
  placeOf({ line, column }: Place): Place | undefined {
    const found = lastUpTo(this.#all, line - 1, column);
    return found && { line: found[2] + 1, column: found[3] };
  }

  /** A plug-in of Babel, whose option `retainLines` prints each node in the line that the node names. */
  plugin() {
    return {
      name: "source-lines",
      /** Runs before other plug-ins change the tree. */
      pre: ({ ast }: { ast: { program: unknown } }) => this.#apply(ast.program),
    };
  }

  #apply(program: unknown): void {
    // Without recursion, since a syntax tree can have any depth.
    const open: unknown[] = [program];
    while (open.length > 0) {
      const value = open.pop();
      if (Array.isArray(value)) for (const one of value) open.push(one);
      else if (isNode(value)) {
        if (value.loc) value.loc = this.#moved(value.loc);
        for (const key in value) if (key !== "loc") open.push(value[key as keyof Node]);
      }
    }
  }

  /** Undefined for a node that comes from nowhere in the source. Nodes share such objects, so it makes a new one. */
  #moved({ start, end, identifierName }: NonNullable<Node["loc"]>): Node["loc"] {
    const first = lastUpTo(this.#inOrder, start.line - 1, start.column);
    const last = lastUpTo(this.#inOrder, end.line - 1, end.column);
    if (!first || !last) return undefined;
    const place = ({ column, index }: Place, line: number) => ({ line: line + 1, column, index });
    return { start: place(start, first[2]), end: place(end, last[2]), identifierName };
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/**
 * The most segments whose source lines never go back. A printer can only go forward, and what is compiled from a decorator
 * stands before the class or after it.
 */
function longestInOrder(segments: readonly Segment[]): Segment[] {
  // The classic way: by length, the index of the lowest line that ends such a sequence; and for each segment the one before it.
  const ends: number[] = [];
  const before: number[] = [];
  const lineOf = (index: number | undefined) => segments[index ?? 0]?.[2] ?? 0;
  for (const index of segments.keys()) {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (lineOf(ends[middle]) <= lineOf(index)) low = middle + 1;
      else high = middle;
    }
    before[index] = low > 0 ? (ends[low - 1] ?? -1) : -1;
    ends[low] = index;
  }
  const found: Segment[] = [];
  for (let index = ends.at(-1) ?? -1; index >= 0; index = before[index] ?? -1)
    found.push(segments[index] as Segment);
  return found.reverse();
}

/** The last segment that is not behind a place. */
function lastUpTo(segments: readonly Segment[], line: number, column: number): Segment | undefined {
  let [low, high] = [0, segments.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const [at = 0, from = 0] = segments[middle] ?? [];
    if (at < line || (at === line && from <= column)) low = middle + 1;
    else high = middle;
  }
  return segments[low - 1];
}
