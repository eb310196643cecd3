// Declares the commands: parses the arguments, and calls what does the work.
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { VERSION } from "../base/version.js";
import { catalogue } from "../catalogue/catalogue.js";
import type { CheckOptions } from "./check.js";
import { openProgressReport, type ReportProgress, runInSubprocess } from "./subprocess.js";

// The same exit code as diff and grep.
const COULD_NOT_LOOK = 2;
// As a shell has it for a program that SIGPIPE has ended.
const BROKEN_PIPE = 128 + 13;

const program = new Command("synapse-module-bridge")
  .description("Matrix Synapse modules in TypeScript")
  .version(VERSION);

program
  .command("check")
  .description("tell what is wrong with modules, and what they are asked about")
  .argument(
    "<modules...>",
    "files of modules, or their folders; homeserver.yaml with the Python package's command",
  )
  .option("--config <file>", "the config of the module, as YAML or JSON")
  .option("--json", "print JSON, as schemas/check.schema.json describes it")
  .option("--user <name>", "try the files as this user of the system; only root can")
  .option("--synapse <version>", "tell what this release of Synapse lacks, such as 1.130.0")
  .action(async (paths: string[], options: CheckOptions & { user?: string }) => {
    await supervised(
      async (report) => {
        if (options.user !== undefined) (await import("./as-user.js")).becomeUser(options.user);
        const { check } = await import("./check.js");
        return check(paths, options, catalogue(), (text) => report({ answer: `${text}\n` }), report);
      },
      COULD_NOT_LOOK,
      options.json ? inJson : undefined,
    );
  });

program
  .command("describe", { hidden: true })
  .description("what the shim's own `check` runs: takes and gives JSON")
  .action(async () => {
    const { describe } = await import("./describe.js");
    const described = await describe(JSON.parse(readFileSync(0, "utf8")), catalogue());
    process.stdout.write(JSON.stringify(described));
  });

program
  .command("mode")
  .description("switch a module of a running Synapse off or on: the Python package's command has it")
  .argument("<arguments...>", "homeserver.yaml, the module, and its mode")
  .option("--note <text>", "why, for the record")
  .option("--until <time>", "when the mode ends by itself")
  .action(() => {
    process.stderr.write(
      "The command of the Python package has `mode`, since it needs Synapse's database: run it on Synapse's machine, " +
        "with the Python that Synapse runs with.\n",
    );
    process.exitCode = COULD_NOT_LOOK;
  });

program
  .command("call")
  .description("ask a module about one call, without a Synapse")
  .argument("<module>", "the module's file or folder")
  .argument("[callback]", "the callback's name; none with --web")
  .argument("[params]", "a JSON file with the callback's parameters, or - for standard input")
  .option("--config <file>", "the module's config, as YAML or JSON")
  .option(
    "--state <file>",
    "the state events of the room, as YAML or JSON: what state_events and the api have",
  )
  .option("--api <file>", "what calls of the api answer, by method, as YAML or JSON")
  .option("--web <path>", "ask this web resource of the module, in place of a callback")
  .option("--server-name <name>", "the homeserver's name, as `api.server_name` gives it", "example.org")
  .action(async (module: string, callback: string | undefined, file: string | undefined, options) => {
    await supervised(async (report) => {
      const { ByHand, readParams } = await import("./call.js");
      const { logToStandardError } = await import("../logging/log.js");
      if ((callback === undefined) === (options.web === undefined))
        throw new Error("give a callback, or a web resource with --web PATH");
      const params = file === undefined ? {} : readParams(file);
      const byHand = await ByHand.load(module, params, options, catalogue(), logToStandardError(), report);
      const called = callback === undefined ? byHand.web(options.web) : byHand.call(callback, params);
      const { text, summary } = await called;
      report({ answer: `${text}\n` });
      process.stderr.write(`${summary}\n`);
      return true;
    });
  });

program
  .command("replay")
  .description("ask a module everything that a recording has, and show where its verdicts differ")
  .argument("<module>", "the module's file or folder")
  .argument("<recording>", "a file of a recording, or the folder with all of them")
  .option("--config <file>", "the module's config, as YAML or JSON")
  .option("--api <file>", "what calls of the api answer that are not recorded, by method, as YAML or JSON")
  .option("--module <name>", "the recorded module that this one takes the place of")
  .option(
    "--callback <name>",
    "ask only the calls of this callback (may be repeated)",
    (name, others: string[] = []) => [...others, name],
  )
  .option("--expect-same", "exit with 1 if a verdict differs; not for calls that cannot be compared")
  .option("--json", "print JSON")
  .action(async (module: string, recording: string, options) => {
    await supervised(async (report) => {
      const { replay } = await import("./replay.js");
      const { formatReport } = await import("./replay-report.js");
      const { logToStandardError } = await import("../logging/log.js");
      const log = logToStandardError();
      // A module may log for each of thousands of calls.
      log.level = "silent";
      const found = await replay(module, recording, options, catalogue(), log, report);
      report({ answer: options.json ? `${JSON.stringify(found, null, 2)}\n` : formatReport(found) });
      return !options.expectSame || found.differing === 0;
    }, COULD_NOT_LOOK);
  });

program
  .command("new")
  .description("make a project with a module, and tests of it that pass at once")
  .argument("<folder>", "the folder to make; its name is the project's")
  .action((folder: string) =>
    ofNpm(async () => {
      const { makeProject } = await import("./new.js");
      process.stdout.write(await makeProject(folder));
    }),
  );

program
  .command("dev")
  .description("run a module on a throw-away Synapse, and load it again at each save")
  .argument(
    "<module>",
    "the module's file or folder, or a homeserver.yaml, of which the bridge's entry is used",
  )
  .option("--config <file>", "the config of the module, as YAML or JSON")
  .option(
    "--synapse <version>",
    "the Synapse; default: SYNAPSE_VERSION, else the newest that this release was tested with",
  )
  .option("--data <folder>", "keep the database and the log there, and use them again")
  .option("--inspect [port]", "let a debugger attach to Node and pause it, on port 9229 or another")
  .action((module: string, options) => ofNpm(async () => (await import("./dev.js")).dev(module, options)));

program
  .command("synapse")
  .description("the Synapse that `dev` and tests use")
  .command("install")
  .description(
    "install a Synapse from PyPI into the cache, unless it is there, and print the path of its Python",
  )
  .argument(
    "[version]",
    "such as 1.163.2; default: SYNAPSE_VERSION, else the newest that this release was tested with",
  )
  .action((version?: string) => ofNpm(async () => (await import("./synapse-install.js")).install(version)));

/** Runs the command that the arguments name. */
export async function runCommand(): Promise<void> {
  await program.parseAsync();
}

/** Ends the command when nobody reads its output any more, as `head` does after some lines, or the disk is full. */
function endWithOutput(): void {
  process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
    if (code !== "EPIPE") process.stderr.write(`standard output: ${message}\n`);
    process.exit(code === "EPIPE" ? BROKEN_PIPE : COULD_NOT_LOOK);
  });
}

/** Runs a command that only the npm package has: the wheel leaves its code out. */
async function ofNpm(command: () => Promise<void>): Promise<void> {
  endWithOutput();
  try {
    await command();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const text =
      code === "ERR_MODULE_NOT_FOUND"
        ? "This command is for authors of modules: `npx synapse-module-bridge` has it."
        : message;
    // Ends also what still waits for a save.
    process.stderr.write(`${text}\n`, () => process.exit(1));
  }
}

/**
 * Runs a command in a subprocess. The exit code is 0 if `work` returns true, 1 if not, and `thrown` if it throws.
 * `inOutput` makes the message about its end a part of the output, where programs read that.
 */
async function supervised(
  work: (report: ReportProgress) => Promise<boolean>,
  thrown = 1,
  inOutput?: (message: string, how: "thrown" | "ended") => Promise<string>,
): Promise<void> {
  endWithOutput();
  const report = openProgressReport();
  if (report === undefined) {
    const { code, problem } = await runInSubprocess();
    process.exitCode = code;
    if (problem !== undefined) {
      process.stderr.write(`${problem}\n`);
      if (inOutput) process.stdout.write(await inOutput(problem, "ended"));
    }
  } else {
    let done = thrown;
    try {
      done = (await work(report)) ? 0 : 1;
    } catch (error) {
      const { message } = error as Error;
      process.stderr.write(`${message}\n`);
      if (inOutput) report({ answer: await inOutput(message, "thrown") });
    }
    report({ done });
    process.exitCode = done;
  }
  // Exits even if a module has left something running, but only after all output is written.
  process.stdout.write("", () => process.exit());
}

async function inJson(message: string, how: "thrown" | "ended"): Promise<string> {
  const { reportWithoutModules } = await import("./check-json.js");
  const found = reportWithoutModules(how === "thrown" ? "not_looked" : "faults", message);
  return `${JSON.stringify(found, null, 2)}\n`;
}
