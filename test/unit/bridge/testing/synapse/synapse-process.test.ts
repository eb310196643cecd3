import { expect, test } from "@jest/globals";
import { SynapseStartError } from "../../../../../bridge/testing/synapse/synapse-process.js";

const TEXT = "synapse_module_bridge: cannot start: config.modules[0].path: there is no file";
const traceback = (text: string) => `Traceback (most recent call last):
  File "bridge.py", line 80, in __init__
    raise StartupError(problems)
synapse_module_bridge.schema.startup_problems.StartupError: ${text}
`;
const messageOf = (log: string, stderr: string) =>
  new SynapseStartError("ended with exit code 1 before it was up", {
    ...{ dir: "/tmp/x", exitCode: 1, stdout: "", log, stderr },
  }).message;

test.each([
  { title: "a traceback", stderr: `Error during startup:\n${traceback(TEXT)}`, cause: TEXT },
  {
    title: "a traceback in Synapse's frame",
    stderr: `****\n Error during initialisation:\n ${traceback(TEXT).replaceAll("\n", "\n     ")}\n There may be more information in the logs.\n****\n`,
    cause: TEXT,
  },
  {
    title: "an error of the configuration",
    stderr: "Error in configuration at 'listeners':\n  is no list\n",
    cause: "is no list",
  },
])("the first line of a failed start has the cause, from $title", ({ stderr, cause }) => {
  expect(messageOf("", stderr).split("\n")[0]).toBe(
    `Synapse ended with exit code 1 before it was up: ${cause}`,
  );
});

test("a traceback that Synapse has logged and printed is shown once", () => {
  const message = messageOf(
    `INFO - up\nCRITICAL - Error during startup\n${traceback(TEXT)}`,
    `Error during startup:\n${traceback(TEXT)}`,
  );
  expect(message.match(/Traceback/g)).toHaveLength(1);
  expect(message).toMatch(/there is no file$/m);
});

test("what was printed alone is shown with the log, and without a cause there is none", () => {
  const message = messageOf("INFO - up\n", traceback(TEXT));
  expect(message).toContain(`--- its log\nINFO - up\n--- its standard error\n${traceback(TEXT).trimEnd()}`);
  expect(messageOf("INFO - up\n", "")).toMatch(
    /^Synapse ended with exit code 1 before it was up\n--- its log/,
  );
});
