// Which Python is taken, and what is said where none fits.
import { chmodSync } from "node:fs";
import { delimiter } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { findPython } from "../../../../../bridge/testing/synapse/python.js";
import { type Folder, temporaryFolder } from "../../../../support/temporary-folder.js";

const { PATH, PYTHON } = process.env;
let folder: Folder;

beforeEach(() => {
  folder = temporaryFolder();
  // Only what a test puts there, and a shell for it.
  process.env.PATH = [folder.root, "/nowhere"].join(delimiter);
  delete process.env.PYTHON;
});
afterEach(() => {
  process.env.PATH = PATH;
  if (PYTHON === undefined) delete process.env.PYTHON;
  else process.env.PYTHON = PYTHON;
  folder.remove();
});

/** A Python that tells this of itself. */
function python(name: string, release: string, venv = true): string {
  const file = folder.write(
    name,
    `#!/bin/sh\necho ${release}; echo ${folder.path(name)}; echo ${venv ? 1 : 0}\n`,
  );
  chmodSync(file, 0o755);
  return file;
}

test("the best of those on PATH is taken", async () => {
  python("python3", "3.10");
  python("python3.13", "3.13");
  expect(await findPython()).toMatchObject({ release: "3.13", executable: folder.path("python3.13") });
});

test("the variable PYTHON wins, and nothing else is tried", async () => {
  python("python3.11", "3.11");
  process.env.PYTHON = python("mine", "3.12");
  expect(await findPython()).toMatchObject({ release: "3.12" });
  process.env.PYTHON = python("old", "3.8");
  await expect(findPython()).rejects.toThrow(/only 3\.8 .* \(the variable PYTHON says .*old\)/);
});

test("without any Python, the message names one that fits and how to get it", async () => {
  await expect(findPython()).rejects.toThrow(
    /^Synapse needs a Python of 3\.10, 3\.11, 3\.12, 3\.13, 3\.14, and no Python was found on PATH\. Install 3\.11: apt install/,
  );
});

test("the message names those that were found and do not fit", async () => {
  python("python3", "3.9");
  await expect(findPython()).rejects.toThrow(/only 3\.9 \(.*python3\) was found on PATH/);
});

test("an older Synapse is given none that is too new for it, and the message names both", async () => {
  python("python3.13", "3.13");
  expect(await findPython("1.163.2")).toMatchObject({ release: "3.13" });
  await expect(findPython("1.100.0")).rejects.toThrow(
    /^Synapse 1\.100\.0 needs a Python of 3\.10, 3\.11, 3\.12, and only 3\.13 \(.*python3\.13\) was found on PATH/,
  );
});

test("one that cannot make virtual environments is passed over, or else the package to install is named", async () => {
  python("python3.11", "3.11", false);
  await expect(findPython()).rejects.toThrow(
    /cannot make a virtual environment.*apt install python3\.11-venv/,
  );
  python("python3.12", "3.12");
  expect(await findPython()).toMatchObject({ release: "3.12" });
});

test("a command that is no Python, or fails, is passed over", async () => {
  chmodSync(folder.write("python3.11", "#!/bin/sh\nexit 3\n"), 0o755);
  chmodSync(folder.write("python3.12", "#!/bin/sh\necho hello\n"), 0o755);
  python("python3", "3.11");
  expect(await findPython()).toMatchObject({ executable: folder.path("python3") });
});
