// `npm run bench:decisions`: what the record of decisions costs, and how long its questions take on a million rows, on
// SQLite and on PostgreSQL. `-- --rows 10000` takes fewer.
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { installPackages } from "../test/support/packages.js";
import { harnessFile, projectRoot, venvPython } from "../test/support/paths.js";
import { environmentFor, startPostgres } from "../test/support/postgres.js";

const { values } = parseArgs({ options: { rows: { type: "string", default: "1000000" } } });
const measure = (env: NodeJS.ProcessEnv, ...options: string[]) =>
  execFileSync(venvPython(), ["test/perf/decisions/measure.py", values.rows, ...options], {
    cwd: projectRoot,
    env,
    stdio: "inherit",
  });

console.log("# SQLite");
measure(process.env);
const packages = await installPackages(harnessFile("deployment.txt"));
const postgres = await startPostgres(packages);
try {
  console.log("\n# PostgreSQL");
  measure(environmentFor(postgres, packages, [`${projectRoot}python-shim`]), "--postgres");
} finally {
  await postgres.stop();
}
