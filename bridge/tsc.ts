// Type-checks a module with its author's own TypeScript and tsconfig.json, by running their tsc.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";

export interface TypeCheck {
  /** What tsc complained about, as `file(line,column): error ...`. */
  errors: string[];
  /** Why the types were not checked, or which tsc has checked them. */
  note: string;
}

// A large project on a slow machine; tsc itself has no limit.
const LIMIT = 120_000;
const ALONE = ["--strict", "--target", "es2023", "--module", "nodenext", "--skipLibCheck"];

export async function checkTypes(file: string): Promise<TypeCheck> {
  if (!/\.[mc]?ts$/.test(file)) return { errors: [], note: "JavaScript: no types to check" };
  const manifest = findUpwards(path.dirname(file), "node_modules/typescript/package.json");
  if (!manifest) {
    return { errors: [], note: "types not checked: there is no typescript in a node_modules above it" };
  }
  const { version, bin } = JSON.parse(readFileSync(manifest, "utf8"));
  const tsc = path.join(path.dirname(manifest), typeof bin === "string" ? bin : bin.tsc);
  const project = findUpwards(path.dirname(file), "tsconfig.json");
  if (project) {
    const output = await run(tsc, ["-p", project, "--noEmit", "--pretty", "false", "--listFiles"], project);
    if (output.includes(realpathSync(file)) || output.includes(file))
      return readOutput(output, version, project);
  }
  const ignore = project && Number.parseInt(version, 10) >= 6 ? ["--ignoreConfig"] : [];
  return readOutput(
    await run(tsc, [...ALONE, ...ignore, "--noEmit", "--pretty", "false", file], file),
    version,
  );
}

function readOutput(output: string[], version: string, project?: string): TypeCheck {
  const errors = output.filter((line) => /(^error|: error) TS\d+:/.test(line));
  if (errors.some((line) => line.includes("TS2307") && line.includes("'synapse-module-bridge'"))) {
    const remedy = "npm install --save-dev synapse-module-bridge";
    return {
      errors: [],
      note: `types not checked: the types of the bridge are missing beside it (${remedy})`,
    };
  }
  const how = project ? `with ${project}` : "with strict defaults: no tsconfig.json includes it";
  return { errors, note: `types checked by tsc ${version} ${how}` };
}

function run(tsc: string, args: string[], near: string): Promise<string[]> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [tsc, ...args], { cwd: path.dirname(near), timeout: LIMIT });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.stderr.resume();
    child.on("error", (error) => resolve([`error TS0: tsc could not be run: ${error.message}`]));
    child.on("close", (code, signal) => {
      const lines = output.split(/\r?\n/).filter((line) => line !== "");
      if (signal) lines.push(`error TS0: tsc was ended by ${signal}: it took longer than ${LIMIT / 1000} s`);
      else if (code !== 0 && !lines.some((line) => line.includes("error TS"))) {
        lines.push(`error TS0: tsc failed with exit code ${code}`);
      }
      resolve(lines);
    });
  });
}

function findUpwards(folder: string, name: string): string | undefined {
  const file = path.join(folder, name);
  if (existsSync(file)) return file;
  const parent = path.dirname(folder);
  return parent === folder ? undefined : findUpwards(parent, name);
}
