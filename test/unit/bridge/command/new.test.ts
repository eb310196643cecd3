import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { NEWEST_TESTED } from "../../../../bridge/testing/synapse/releases.js";
import { output } from "../../../packages/environment.js";
import { projectRoot } from "../../../support/paths.js";
import { temporaryFolder } from "../../../support/temporary-folder.js";

const folder = temporaryFolder();
afterAll(() => folder.remove());

// It runs from a clone here.
const bridge = `file:${resolve(projectRoot)}`;
const make = (name: string) =>
  output(process.execPath, [join(projectRoot, "dist/cli.js"), "new", name], { cwd: folder.root });
const filesIn = (name: string) =>
  readdirSync(folder.path(name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

describe("synapse-module-bridge new", () => {
  test("makes a project with the folder's name, this bridge and the newest tested Synapse", async () => {
    const { code, stdout } = await make("My Policy");
    expect({ code, first: stdout.split("\n")[0] }).toEqual({
      code: 0,
      first: "My Policy has a module, and tests of it in memory and on a real Synapse. Now:",
    });
    expect(stdout).toContain("cd 'My Policy'\n");
    expect(stdout).toContain(
      `takes the bridge from where this command is: ${bridge}. Keep that; CI needs it, too.`,
    );
    const read = (file: string) => readFileSync(folder.path(join("My Policy", file)), "utf8");
    const manifest = JSON.parse(read("package.json"));
    expect(manifest).toMatchObject({
      name: "my-policy",
      devDependencies: { "synapse-module-bridge": bridge },
    });
    expect(manifest.scripts["test:versions"]).toContain(` ${NEWEST_TESTED};`);
    expect(read(".github/workflows/test.yml")).toContain(`, "${NEWEST_TESTED}"]`);
    expect(read("README.md")).toMatch(/^# my-policy\n/);
    expect(read(".gitignore")).toBe("node_modules/\n");
  });

  test("leaves nothing of the template to fill in", async () => {
    await make("plain");
    for (const file of filesIn("plain"))
      expect({
        file,
        left: /__[A-Z_]+__|new-project/.exec(readFileSync(file, "utf8"))?.[0],
      }).toEqual({
        file,
        left: undefined,
      });
  });

  test.each([
    {
      title: "a folder with something in it",
      at: "full",
      write: "full/notes.txt",
      says: "full is not empty: give the name of a new folder",
    },
    {
      title: "a file",
      at: "a-file",
      write: "a-file",
      says: "a-file is a file: give the name of a new folder",
    },
    {
      title: "a name without a letter",
      at: "...!",
      says: "gives no name for the project: name the folder with letters or digits",
    },
  ])("refuses $title, and says so", async ({ at, write, says }) => {
    if (write) folder.write(write, "mine");
    const { code, stdout, stderr } = await make(at);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(new RegExp(`${says}\n$`));
    if (write) expect(readFileSync(folder.path(write), "utf8")).toBe("mine");
  });

  test("takes a fresh clone", async () => {
    folder.write("clone/.git/HEAD", "ref: refs/heads/main\n");
    expect(await make("clone")).toMatchObject({ code: 0 });
    expect(readFileSync(folder.path("clone/.git/HEAD"), "utf8")).toBe("ref: refs/heads/main\n");
  });
});
