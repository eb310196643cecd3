// Runs one program of a script quietly: shows that it is alive, keeps its output, and tells the end of it when it fails.
import { spawn } from "node:child_process";
import { root } from "./inputs.mjs";

/** A failure whose message says all that there is to say. */
export class StepFailed extends Error {}

const children = new Set();
let ending = false;

// npm tidies up when it is told to end; one that does not end in time is killed.
const patienceMs = 5_000;

/** Ends the programs that are still running, and waits until they have ended: the next run must not meet them. */
export async function endChildren() {
  ending = true;
  const ended = [...children].map((child) => {
    child.kill("SIGTERM");
    const insist = setTimeout(() => child.kill("SIGKILL"), patienceMs);
    return new Promise((resolve) => child.once("exit", resolve)).finally(() => clearTimeout(insist));
  });
  await Promise.all(ended);
}

export function seconds(started) {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`;
}

// A line every so often is enough to see that nothing hangs, and does not fill a log.
const heartbeatMs = 10_000;

/** Runs a program to its end; gives its output, or throws StepFailed with the last of it. */
export function run(what, command, args, { env = process.env, cwd = root } = {}) {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    children.add(child);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
      });
    }
    const heartbeat = setInterval(() => {
      console.log(`  ${what}: ${seconds(started)}`);
    }, heartbeatMs);
    child.on("error", (error) => {
      clearInterval(heartbeat);
      children.delete(child);
      reject(new StepFailed(`${what}: cannot start ${command}: ${error.message}`));
    });
    child.on("close", (code, signal) => {
      clearInterval(heartbeat);
      children.delete(child);
      if (ending) return; // not a failure to tell of
      if (code === 0) return resolve(output);
      const tail = output.trimEnd().split("\n").slice(-25).join("\n");
      reject(
        new StepFailed(`${what}: ${[command, ...args].join(" ")} ended with ${signal ?? code}:\n${tail}`),
      );
    });
  });
}
