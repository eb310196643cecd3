// The harness itself: what it says of a Synapse that does not start, and that it leaves nothing behind.
import { spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { waitFor } from "../../bridge/testing/synapse/wait.js";
import { Client } from "../support/client.js";
import { HomeserverStartError, startHomeserver } from "../support/homeserver.js";
import { projectRoot } from "../support/paths.js";
import { isAlive } from "../support/processes.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const folder = temporaryFolder();

afterAll(() => folder.remove());

test("a Synapse that cannot start is told with its exit code and what it printed, and leaves no folder", async () => {
  const failure = await startHomeserver({ modules: [{ module: "no_such_module.Class" }] }).catch(
    (error) => error,
  );
  expect(failure).toBeInstanceOf(HomeserverStartError);
  expect(failure.exitCode).toBe(1);
  expect(failure.stderr).toContain("No module named 'no_such_module'");
  expect(existsSync(failure.dir)).toBe(false);
});

test("a Synapse that is stopped leaves no process and no folder", async () => {
  const server = await startHomeserver();
  expect((await new Client(server.baseUrl).get("/_matrix/client/versions")).status).toBe(200);
  await server.stop();
  await server.stop(); // again, which must do no harm
  expect(await server.exited).toBe(0);
  expect(isAlive(server.pid)).toBe(false);
  expect(existsSync(server.dir)).toBe(false);
});

test.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)(
  "a Synapse ends with who started it, by %s",
  async (signal) => {
    const harness = join(projectRoot, "test/support/homeserver.ts");
    const script = folder.write(
      "start.ts",
      `import { startHomeserver } from ${JSON.stringify(harness)};
    const server = await startHomeserver();
    console.log(JSON.stringify({ pid: server.pid, dir: server.dir }));
    setInterval(() => undefined, 1000);`,
    );
    const jiti = join(projectRoot, "node_modules", "jiti", "lib", "jiti-cli.mjs");
    const { NODE_OPTIONS: _, ...env } = process.env;
    const parent = spawn(process.execPath, [jiti, script], { env, stdio: ["ignore", "pipe", "inherit"] });
    let printed = "";
    parent.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      printed += chunk;
    });
    const { pid, dir } = JSON.parse(await waitFor("the server", () => /\{.*\}/.exec(printed)?.[0], 30_000));
    parent.kill(signal);
    await waitFor("Synapse to be gone", () => !isAlive(pid));
    if (signal === "SIGKILL") rmSync(dir, { recursive: true, force: true });
    else await waitFor("its folder to be gone", () => !existsSync(dir));
  },
  60_000,
);
