// Looks whether the configured Node runs and is new enough, in the words of the shim.
import { spawnSync } from "node:child_process";
import { getSystemErrorMap } from "node:util";

const OLDEST = [20, 19] as const;
const LIMIT = 10_000;

/** What is wrong with it, if anything. */
export function nodeProblem(node: string): string | undefined {
  const { error, stdout, stderr, status } = spawnSync(node, ["--version"], {
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    timeout: LIMIT,
    env: {},
  });
  if (error) {
    return `cannot run ${node}: ${reason(error)}; set \`node:\` to the path of Node >= ${OLDEST.join(".")}`;
  }
  const found = /^v(\d+)\.(\d+)\.\S+$/.exec(stdout.trim());
  if (!found) {
    const said = (stdout + stderr).trim().slice(0, 200);
    return `${node} --version did not answer as Node does (exit code ${status}): '${said}'`;
  }
  const [major, minor] = [Number(found[1]), Number(found[2])];
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return undefined;
  return `${node} is ${stdout.trim()}; Node >= ${OLDEST.join(".")} is needed`;
}

/** As the system says it: "No such file or directory". */
function reason(error: NodeJS.ErrnoException): string {
  if (error.code === "ETIMEDOUT") return `it did not answer within ${LIMIT / 1000} s`;
  const text = getSystemErrorMap().get(error.errno ?? 0)?.[1];
  return text === undefined ? error.message : text.charAt(0).toUpperCase() + text.slice(1);
}
