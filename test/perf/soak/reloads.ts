/** What became of each reload, as the log tells. */
import type { LogLine } from "./log.js";

const taken = /^reload: the changed modules have taken over/;
const refused = /^reload: the modules that run stay as they are/;

export class Reloads {
  /** When modules were loaded anew, which ends what was set aside. */
  readonly taken: number[] = [];
  readonly refused: number[] = [];

  readonly take = (_: string, parsed: LogLine | undefined): void => {
    if (parsed && taken.test(parsed.text)) this.taken.push(parsed.at);
    if (parsed && refused.test(parsed.text)) this.refused.push(parsed.at);
  };

  between(from: number, to: number): boolean {
    return this.taken.some((at) => from <= at && at <= to);
  }
}
