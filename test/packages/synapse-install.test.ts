/** From nothing: Synapse comes from PyPI into the cache, and then serves without a network. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, jest, test } from "@jest/globals";
import { startSynapse } from "synapse-module-bridge/testing/synapse";
import { NEWEST_TESTED } from "../../bridge/testing/synapse/releases.js";
import { examplePath } from "../support/bridge.js";
import { projectRoot } from "../support/paths.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { output } from "./environment.js";

const folder = temporaryFolder();
afterAll(() => folder.remove());
jest.setTimeout(600_000);

const install = (version: string, env: NodeJS.ProcessEnv) => {
  const { NODE_OPTIONS: _, SYNAPSE_VERSION: __, ...rest } = process.env;
  const command = [join(projectRoot, "dist/cli.js"), "synapse", "install", version];
  const options = {
    cwd: folder.root,
    env: { ...rest, ...env, XDG_CACHE_HOME: folder.root },
    timeout: 300_000,
  };
  return output(process.execPath, command, options);
};

test.each([NEWEST_TESTED, "1.130.0", "1.100.0"])("Synapse %s", async (version) => {
  const first = await install(version, {});
  expect(first).toMatchObject({ code: 0 });
  expect(first.stderr).toMatch(
    new RegExp(`^installing matrix-synapse==${version} .*\\nthis takes about a minute, once\\n`),
  );
  expect(first.stderr).toMatch(/\ninstalled in \d+ s\npreparing a database for Synapse \S+, once\n$/);
  const python = first.stdout.trim();
  expect(existsSync(python)).toBe(true);
  // Neither a Python on PATH nor an index is needed any more.
  const offline = { PATH: "/nowhere", PYTHON: "", PIP_INDEX_URL: "http://127.0.0.1:9/" };
  expect(await install(version, offline)).toEqual({ code: 0, stdout: `${python}\n`, stderr: "" });

  process.env.XDG_CACHE_HOME = folder.root;
  const modules = [{ path: examplePath("no-links.ts"), config: { allowed_domains: ["example.org"] } }];
  const hs = await startSynapse({ version, modules });
  try {
    expect(hs.version).toBe(version);
    const alice = await hs.user("alice");
    const room = await alice.createRoom();
    await expect(alice.send(room, "https://casino.example")).rejects.toMatchObject({
      errcode: "M_FORBIDDEN",
    });
    expect(await hs.decisions({ room })).toMatchObject([{ module: "no-links", outcome: "refused" }]);
  } finally {
    await hs.close();
  }
});
