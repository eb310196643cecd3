#!/usr/bin/env node
// The command: parses its arguments and hands over to the file that does the work.
import { Command } from "commander";
import { catalogue } from "./catalogue.js";
import { VERSION } from "./version.js";

const program = new Command("synapse-module-bridge")
  .description("Matrix Synapse modules in TypeScript")
  .version(VERSION);

program
  .command("check")
  .description("tell what is wrong with a configuration or a module, and who is asked about what")
  .argument("<paths...>", "homeserver.yaml (several files and folders, of which the last holds), or modules")
  .option("--config <file>", "the config of the module, as YAML or JSON")
  .action(async (paths: string[], options: { config?: string }) => {
    const { check } = await import("./check.js");
    await end(() => check(paths, options, catalogue(), (text) => process.stdout.write(`${text}\n`)));
  });

program
  .command("call")
  .description("ask a module about one call, without a Synapse")
  .argument("<module>", "the module's file or folder")
  .argument("<callback>", "the callback's name")
  .argument("[params]", "a JSON file with the callback's parameters, or - for standard input")
  .option("--config <file>", "the module's config, as YAML or JSON")
  .option("--server-name <name>", "the homeserver that the module believes itself on", "example.org")
  .action(async (module: string, callback: string, file: string | undefined, options) => {
    const { callOnce, readParams } = await import("./call.js");
    const { openLog } = await import("./log.js");
    const { takeOutput } = await import("./call-output.js");
    // Standard output is for the answer alone.
    const print = takeOutput();
    const log = openLog();
    await end(async () => {
      const params = file === undefined ? {} : readParams(file);
      const { answer, asked } = await callOnce(module, callback, params, options, catalogue(), log.logger);
      print(`${JSON.stringify(answer, null, 2)}\n`);
      process.stderr.write(`${callback}: answered in ${asked[0]?.ms} ms\n`);
      return true;
    }, log.flush);
  });

program
  .command("host")
  .description("what Synapse starts: speaks JSON-RPC on its standard input and output")
  .action(async () => {
    const { serve } = await import("./serve.js");
    try {
      serve();
    } catch (error) {
      process.stderr.write(
        `This is the host that Synapse starts for its modules, and of no use by hand: ${(error as Error).message}.\n` +
          "To try a module, use `synapse-module-bridge check` or `synapse-module-bridge call`.\n",
      );
      process.exit(1);
    }
  });

await program.parseAsync();

/** Ends the process whatever a module has left running: with 1 unless all is well. */
async function end(work: () => Promise<boolean>, flush = () => {}): Promise<void> {
  let sound = false;
  try {
    sound = await work();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
  }
  flush();
  process.exitCode = sound ? 0 : 1;
  // Lets what was written reach a slow pipe first.
  process.stdout.write("", () => process.exit());
}
