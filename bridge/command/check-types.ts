// Type-checks modules with their author's own TypeScript, once for each tsconfig.json, and assigns each error to a module.
import path from "node:path";
import { findTsc, findUpwards, type Output, realPath, runTsc, type Tsc } from "./tsc.js";

/** A module's main file, and all of its files. */
export interface Source {
  file: string;
  files: readonly string[];
}

export interface TypeCheck {
  errors: string[];
  /** Which tsc has checked the types, or why they were not checked. */
  note: string;
}

interface Project {
  tsc: Tsc;
  config: string;
  sources: Source[];
}

const ALONE = ["--strict", "--target", "es2023", "--jsx", "react-jsx", "--skipLibCheck"];
// How the bridge finds imports, whatever package.json says: with the file's ending, with another one or without.
const AS_LOADED = ["--module", "preserve", "--allowImportingTsExtensions"];
const BEFORE_PRESERVE = ["--module", "nodenext"];
/**
 * That a file is CommonJS, since its package.json has no `"type": "module"`, and so may not have `await` or `import.meta` at
 * its top, or import an ES module; and that an import may not end in .ts. The bridge loads each file as an ES module.
 */
const ABOUT_FORMAT = /: error TS(?:1286|1287|1295|1309|1470|1471|1479|5097): /;
const NO_FILES = /^error TS1800[23]: |: error TS1800[23]: /;
const SYNTAX = /: error TS1\d{3}: /;
const REMEDY = "npm install --save-dev synapse-module-bridge";

export async function checkTypes(sources: readonly Source[]): Promise<Map<Source, TypeCheck>> {
  const results = new Map<Source, TypeCheck>();
  const seen = new Set<string>();
  const projects = new Map<string, Project>();
  const alone: { source: Source; tsc: Tsc; config?: string }[] = [];
  for (const source of sources) {
    const folder = path.dirname(source.file);
    const tsc = findTsc(folder);
    const config = findUpwards(folder, "tsconfig.json");
    if (!/\.[mc]?tsx?$/.test(source.file)) {
      results.set(source, { errors: [], note: "JavaScript: no types to check" });
    } else if (!tsc) {
      const note = "types not checked: there is no typescript in a node_modules above it";
      results.set(source, { errors: [], note });
    } else if (config === undefined) alone.push({ source, tsc });
    else {
      const key = JSON.stringify([tsc.program, config]);
      const project = projects.get(key) ?? { tsc, config, sources: [] };
      project.sources.push(source);
      projects.set(key, project);
    }
  }
  for (const { tsc, config, sources: all } of projects.values()) {
    const output = await runTsc(tsc, ["-p", config, "--listFiles"], path.dirname(config));
    // After an error of the project itself, tsc does not list the files that it includes.
    const broken = output.errors.some(({ file, text }) => isGeneral(file) && !NO_FILES.test(text));
    const included = all.filter(({ file }) => broken || output.listed.has(realPath(file)));
    share(output, included, `by tsc ${tsc.version} with ${config}`, seen, results);
    for (const source of all) if (!included.includes(source)) alone.push({ source, tsc, config });
  }
  for (const { source, tsc, config } of alone) {
    // Since version 6, tsc needs this option to check a single file next to a tsconfig.json.
    const ignore = config !== undefined && Number.parseInt(tsc.version, 10) >= 6 ? ["--ignoreConfig"] : [];
    const [major = 0, minor = 0] = tsc.version.split(".").map(Number);
    const modules = major > 5 || (major === 5 && minor >= 4) ? AS_LOADED : BEFORE_PRESERVE;
    const args = [...ALONE, ...modules, ...ignore, source.file];
    const output = await runTsc(tsc, args, path.dirname(source.file));
    const how = `by tsc ${tsc.version} with strict defaults: no tsconfig.json includes it`;
    share(output, [source], how, seen, results);
  }
  return results;
}

/** An error without a file, or in tsconfig.json, is about the project as a whole. */
function isGeneral(file: string | undefined): boolean {
  return file === undefined || file.endsWith(".json");
}

/** Assigns each error to the first module that has the file. */
function share(
  { errors: all }: Output,
  sources: Source[],
  how: string,
  seen: Set<string>,
  results: Map<Source, TypeCheck>,
): void {
  const rest = new Set(all.filter(({ text }) => !ABOUT_FORMAT.test(text)));
  for (const [order, source] of sources.entries()) {
    const files = new Set([source.file, ...source.files].map(realPath));
    const own = [...rest].filter(({ file }) => {
      return (order === 0 && isGeneral(file)) || (file !== undefined && files.has(realPath(file)));
    });
    for (const error of own) rest.delete(error);
    const texts = own.map(({ text }) => text);
    const unseen = [...new Set(texts)].filter((text) => !seen.has(text));
    if (texts.some((text) => text.includes("TS2307") && text.includes("'synapse-module-bridge'"))) {
      const note = `types not checked: the types of the bridge are missing beside it (${REMEDY})`;
      results.set(source, { errors: [], note });
    } else results.set(source, { errors: unseen, note: `types checked ${how}` });
    for (const text of unseen) seen.add(text);
  }
  const [first] = sources;
  const [elsewhere] = rest;
  const result = first && results.get(first);
  if (!result || !elsewhere) return;
  const [line] = elsewhere.text.split("\n");
  // After a syntax error anywhere, tsc does not check types at all.
  if (SYNTAX.test(elsewhere.text)) {
    for (const source of sources) {
      const own = results.get(source);
      if (own?.errors.length === 0) own.note = `types not checked: tsc stops at a syntax error (${line})`;
    }
  } else {
    const what = rest.size === 1 ? "an error" : `${rest.size} errors`;
    result.note += `; it tells ${what} elsewhere in the project, the first ${line}`;
  }
}
