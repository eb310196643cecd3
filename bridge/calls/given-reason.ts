// What a handler says about its own decision: bounded, since it ends up in the admin's records.
import { whatJsonLoses } from "../base/json-check.js";
import { type GivenReason, LIMITS } from "../catalogue/protocol.js";

const TEXT_LENGTH = LIMITS.reason_characters;
const DETAILS_LENGTH = LIMITS.reason_details_characters;

/** Holds the reason of one handler in one call. Of several, the last one counts. */
export class ReasonGiven {
  reason: GivenReason | undefined;

  constructor(private readonly warn: (message: string) => void) {}

  /** What handlers call as `context.reason`. It never throws: a reason must not change a decision. */
  readonly give = (text: unknown, details?: unknown): void => {
    if (typeof text !== "string" || text === "") {
      this.warn("context.reason takes a text: the reason is left out");
      return;
    }
    // By code points, so that no character is cut in two.
    const short = [...text.slice(0, 2 * TEXT_LENGTH)].slice(0, TEXT_LENGTH).join("");
    this.reason = { text: short };
    if (details === undefined) return;
    const problem = whatJsonLoses(details);
    const json = problem === undefined ? JSON.stringify(details) : undefined;
    if (json !== undefined && json.length <= DETAILS_LENGTH) this.reason = { ...this.reason, details: json };
    else
      this.warn(
        `context.reason: the details are left out: ${problem ?? `they are over ${DETAILS_LENGTH} characters`}`,
      );
  };
}
