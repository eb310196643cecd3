// The pages that people read: those at the root, those of docs/, and the one that PyPI shows.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface Page {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

export function readPages(): Page[] {
  const inDocs = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" });
  const paths = [
    ...["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "python-shim/README.md"],
    ...inDocs.filter((path) => path.endsWith(".md")).map((path) => join("docs", path)),
  ];
  return paths.sort().map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));
}

/** Whose text is somebody else's business: its generator's. */
export function isGenerated({ text }: Page): boolean {
  return /^<!-- (Generated|Written) by|^<!-- Generated from/m.test(text);
}

/** A file of the SDK, with nothing but the text of its TSDoc comments: the lines keep their numbers. */
export interface HoverTexts extends Page {
  /** The file itself. */
  readonly source: string;
}

export function hoverTexts(): HoverTexts[] {
  const index = readFileSync(join(ROOT, "bridge/index.ts"), "utf8");
  return readdirSync(join(ROOT, "bridge/sdk"))
    .filter((name) => index.includes(`"./sdk/${name.replace(/\.ts$/, ".js")}"`))
    .sort()
    .map((name) => hoverTextsOf(`bridge/sdk/${name}`));
}

/** Those of `synapse-module-bridge/testing`. */
export function hoverTextsOfKit(): HoverTexts[] {
  return ["event", "options", "tester"].map((name) => hoverTextsOf(`bridge/testing/${name}.ts`));
}

function hoverTextsOf(path: string): HoverTexts {
  const source = readFileSync(join(ROOT, path), "utf8");
  const lines = source.split("\n").map((line) => /^ *\* ?(.*)$/.exec(line)?.[1] ?? "");
  return { path, text: lines.join("\n"), source };
}

export interface Fence {
  /** The words behind the opening backticks. */
  readonly info: string;
  readonly text: string;
  /** Of its first line. */
  readonly line: number;
}

/** Blocks of code, also those that are indented within a list. */
export function fencesOf({ text }: Page): Fence[] {
  const fences: Fence[] = [];
  let open: { mark: string; indent: number; info: string; line: number; lines: string[] } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const [, indent = "", mark = "", info = ""] = /^( *)(`{3,})(.*)$/.exec(line) ?? [];
    if (open) {
      if (mark.length >= open.mark.length && info.trim() === "") {
        fences.push({ info: open.info, text: `${open.lines.join("\n")}\n`, line: open.line });
        open = undefined;
      } else open.lines.push(line.slice(open.indent));
    } else if (mark !== "")
      open = { mark, indent: indent.length, info: info.trim(), line: index + 2, lines: [] };
  }
  return fences;
}

/** The page without its code: each line of it is empty. */
export function proseOf(page: Page): string {
  const lines = page.text.split("\n");
  for (const { line, text } of fencesOf(page)) {
    const last = line - 1 + text.split("\n").length - 1;
    for (let index = line - 2; index <= last; index++) lines[index] = "";
  }
  return lines.join("\n");
}
