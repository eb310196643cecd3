// How a module's SQL is read and guarded, and the record of decisions, on a real PostgreSQL without a Synapse: runs the tests
// in Python beside this.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, test } from "@jest/globals";
import { installPackages } from "../../support/packages.js";
import { harnessFile, projectRoot, venvPython } from "../../support/paths.js";
import { environmentFor, type Postgres, startPostgres } from "../../support/postgres.js";

let packages: string;
let postgres: Postgres;

beforeAll(async () => {
  packages = await installPackages(harnessFile("deployment.txt"));
  postgres = await startPostgres(packages);
}, 90_000);

afterAll(() => postgres?.stop());

test.each(["test_scanner_agrees.py", "test_postgres_guard.py", "test_transactions.py", "test_decisions.py"])(
  "%s",
  async (file) => {
    const options = ["-q", "-c", "python-shim/pyproject.toml", "--rootdir", projectRoot];
    await promisify(execFile)(
      venvPython(),
      ["-m", "pytest", ...options, `test/synapse/workers/postgres/${file}`],
      {
        cwd: projectRoot,
        env: environmentFor(postgres, packages, [`${projectRoot}python-shim`]),
        maxBuffer: 2 ** 24,
      },
    ).catch((error) => {
      throw new Error(`${error.stdout}\n${error.stderr}`);
    });
  },
  300_000,
);
