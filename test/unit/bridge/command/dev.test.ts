import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { output } from "../../../packages/environment.js";
import { projectRoot } from "../../../support/paths.js";
import { temporaryFolder } from "../../../support/temporary-folder.js";

const folder = temporaryFolder();
folder.write("project/policy.ts", "export default {};");
afterAll(() => folder.remove());

const dev = (...args: string[]) =>
  output(process.execPath, [join(projectRoot, "dist/cli.js"), "dev", ...args], {
    cwd: folder.path("project"),
    // No Synapse is installed, however this ends.
    env: { ...process.env, XDG_CACHE_HOME: folder.path("cache"), PATH: "" },
  });

describe("synapse-module-bridge dev ends at once, and says what to do,", () => {
  test("if the port for the debugger is in use", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { port: number };
    try {
      expect(await dev("policy.ts", `--inspect=${port}`)).toMatchObject({
        code: 1,
        stderr: `--inspect: port ${port} is in use. Give another with --inspect=PORT.\n`,
      });
    } finally {
      other.close();
    }
  });

  test.each([".", ".."])(
    "if --data %s has the module in it, whose saves it would not notice",
    async (data) => {
      expect(await dev("policy.ts", "--data", data)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^--data \S+: has \S+policy\.ts in it\. Give a folder of its own\.\n$/),
      });
    },
  );
});
