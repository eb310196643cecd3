// `npm run demo`: sets up what is missing, then runs scripts/demo.ts, which TypeScript needs no build for.
import { parseArgs } from "node:util";
import { setup } from "./setup.mjs";

const { values } = parseArgs({
  options: { keep: { type: "boolean", default: false }, record: { type: "string" } },
});
await setup();
const { createJiti } = await import("jiti"); // only now: set-up may just have installed it
const { demo } = await createJiti(import.meta.url, { fsCache: false }).import("./demo.ts");
process.exitCode = await demo(values);
