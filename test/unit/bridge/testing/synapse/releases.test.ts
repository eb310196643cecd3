// Which Synapse the kit installs, and with what.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import {
  NEWEST_TESTED,
  PYTHONS,
  pythonsFor,
  requirementsOf,
} from "../../../../../bridge/testing/synapse/releases.js";
import { projectRoot } from "../../../../support/paths.js";

const read = (path: string) => readFileSync(join(projectRoot, path), "utf8");

test("the newest tested Synapse is the one that this project's tests run on, and is pinned", () => {
  expect(read("python-shim/requirements-dev.txt")).toMatch(`\nmatrix-synapse==${NEWEST_TESTED}\n`);
  expect(read("python-shim/constraints.txt")).toMatch(`\nmatrix-synapse==${NEWEST_TESTED}\n`);
});

test.each([
  ["1.163.2", ["matrix-synapse==1.163.2"]],
  ["1.146.0", ["matrix-synapse==1.146.0"]],
  ["1.140.0", ["matrix-synapse==1.140.0", "prometheus-client<0.22"]],
  ["1.139.2", ["matrix-synapse==1.139.2", "prometheus-client<0.22", "setuptools<81"]],
  ["1.146.0rc1", ["matrix-synapse==1.146.0rc1"]],
])("Synapse %s is installed with the bounds that it does not name itself", (version, requirements) => {
  expect(requirementsOf(version)).toEqual(requirements);
});

test.each([
  [NEWEST_TESTED, [...PYTHONS]],
  ["1.110.0", [...PYTHONS]],
  ["1.109.0", ["3.11", "3.12", "3.10"]],
])("Synapse %s runs on these Pythons", (version, pythons) => {
  expect(pythonsFor(version)).toEqual(pythons);
});

test.each([
  ["latest", /latest is no version of Synapse: give one such as 1\.\d+/],
  ["1.163", /is no version/],
  ["1.163.2; rm -rf /", /is no version/],
  ["1.99.0", /too old: the bridge needs 1\.100\.0 or newer/],
])("%s is refused, with what to do", (version, message) => {
  expect(() => requirementsOf(version)).toThrow(message);
});
