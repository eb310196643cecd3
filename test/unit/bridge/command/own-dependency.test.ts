import { afterAll, expect, test } from "@jest/globals";
import { VERSION } from "../../../../bridge/base/version.js";
import { ownDependency } from "../../../../bridge/command/own-dependency.js";
import { temporaryFolder } from "../../../support/temporary-folder.js";

const folder = temporaryFolder();
afterAll(() => folder.remove());

let folders = 0;
const PACKAGE = "node_modules/synapse-module-bridge";
const FROM_NPM = "https://registry.npmjs.org/synapse-module-bridge/-/synapse-module-bridge-0.1.0.tgz";
const noted = (resolved: string) => JSON.stringify({ packages: { [PACKAGE]: { resolved } } });

test.each([
  {
    title: "of a file that npm has installed is that file",
    root: PACKAGE,
    lockfile: noted("file:../packed/bridge.tgz"),
    expected: (at: string) => `file:${at.replace(/[^/]+$/, "")}packed/bridge.tgz`,
  },
  {
    title: "from a registry is the version",
    root: PACKAGE,
    lockfile: noted(FROM_NPM),
    expected: () => `^${VERSION}`,
  },
  {
    title: "that another package manager has installed is the version",
    root: PACKAGE,
    lockfile: undefined,
    expected: () => `^${VERSION}`,
  },
  {
    title: "beside a lockfile that is no JSON is the version",
    root: PACKAGE,
    lockfile: "{",
    expected: () => `^${VERSION}`,
  },
  {
    title: "of a clone is its folder",
    root: "clone/",
    lockfile: undefined,
    expected: (at: string) => `file:${at}/clone`,
  },
])("the dependency $title", ({ root, lockfile, expected }) => {
  const at = `${folders++}`;
  folder.write(`${at}/${root}/package.json`, "{}");
  if (lockfile !== undefined) folder.write(`${at}/node_modules/.package-lock.json`, lockfile);
  expect(ownDependency(folder.path(`${at}/${root}`))).toBe(expected(folder.path(at)));
});
