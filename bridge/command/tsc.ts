// Runs the tsc that is installed near an author's module, and parses its output.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";

export interface Tsc {
  program: string;
  version: string;
}

interface TscError {
  /** The absolute path; undefined if the error has no file. */
  file?: string;
  /** The text as tsc prints it, including indented lines, but with the absolute path of the file. */
  text: string;
}

export interface Output {
  /** The real paths of all files that tsc has read, if it was asked to list them. */
  listed: ReadonlySet<string>;
  errors: TscError[];
}

// Enough for a large project on a slow machine. tsc itself has no limit.
const LIMIT = 120_000;

export function findTsc(folder: string): Tsc | undefined {
  const manifest = findUpwards(folder, "node_modules/typescript/package.json");
  if (!manifest) return undefined;
  const { version, bin } = JSON.parse(readFileSync(manifest, "utf8"));
  return { program: path.join(path.dirname(manifest), typeof bin === "string" ? bin : bin.tsc), version };
}

export function runTsc({ program }: Tsc, args: string[], folder: string): Promise<Output> {
  return new Promise((resolve) => {
    const all = [program, ...args, "--noEmit", "--pretty", "false"];
    const child = spawn(process.execPath, all, { cwd: folder, timeout: LIMIT });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.stderr.resume();
    child.on("error", (error) => {
      resolve({ listed: new Set(), errors: [{ text: `tsc could not be run: ${error.message}` }] });
    });
    child.on("close", (code, signal) => {
      const read = readOutput(output.split(/\r?\n/), folder);
      if (signal)
        read.errors.push({ text: `tsc was ended by ${signal}: it took longer than ${LIMIT / 1000} s` });
      else if (code !== 0 && read.errors.length === 0)
        read.errors.push({ text: `tsc failed with exit code ${code}` });
      resolve(read);
    });
  });
}

function readOutput(lines: string[], folder: string): Output {
  const listed = new Set<string>();
  const errors: TscError[] = [];
  for (const line of lines) {
    const last = errors.at(-1);
    const placed = /^(.+?)(\(\d+,\d+\): error TS\d+: .*)$/.exec(line);
    if (placed) {
      const file = path.resolve(folder, placed[1] ?? "");
      errors.push({ file, text: file + placed[2] });
    } else if (/^error TS\d+: /.test(line)) errors.push({ text: line });
    // An indented line belongs to the error before it, and gives details.
    else if (/^\s+\S/.test(line) && last) last.text += `\n${line}`;
    else if (path.isAbsolute(line)) listed.add(realPath(line));
  }
  return { listed, errors };
}

/** The path without symbolic links, so that each file has one name. */
export function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

export function findUpwards(folder: string, name: string): string | undefined {
  const file = path.join(folder, name);
  if (existsSync(file)) return file;
  const parent = path.dirname(folder);
  return parent === folder ? undefined : findUpwards(parent, name);
}
