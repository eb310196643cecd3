#!/usr/bin/env node
// The command: parses its arguments and hands over to the file that does the work.
import { isatty } from "node:tty";
import { Command } from "commander";
import { VERSION } from "./version.js";

const program = new Command("synapse-module-bridge")
  .description("Matrix Synapse modules in TypeScript")
  .version(VERSION);

program
  .command("host")
  .description("what Synapse starts: speaks JSON-RPC on its standard input and output")
  .action(async () => {
    if (isatty(0)) {
      console.error(
        "This is the host that Synapse starts for its modules; it is of no use on a terminal. Try --help.",
      );
      process.exit(1);
    }
    const { serve } = await import("./serve.js");
    serve();
  });

await program.parseAsync();
