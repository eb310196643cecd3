// The whole of `npm run drift`: looks, compares, prints, and tells the exit code.
import { NEWEST_TESTED } from "../../bridge/testing/synapse/releases.js";
import { compare, type Declared } from "./compare.js";
import { lookInto, pythonWith } from "./installed.js";
import { isClean, judge, readIntentions } from "./intended.js";
import { report } from "./report.js";

interface Order {
  readonly declared: Declared;
  /** A version; without one, the Synapse of .venv. */
  readonly synapse?: string | undefined;
  readonly print: (text: string) => void;
}

/** 0: nothing to do; 1: something. Throws an Error where it cannot look. */
export async function drift({ declared, synapse, print }: Order): Promise<number> {
  const offered = await lookInto(await pythonWith(synapse));
  const judged = judge(compare(declared, offered, NEWEST_TESTED), readIntentions(), NEWEST_TESTED);
  print(report(judged));
  return isClean(judged) ? 0 : 1;
}
