// A rig for each test of one file, and a folder for the modules of all of them.
import { afterAll, afterEach, beforeEach } from "@jest/globals";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { connect, type Rig } from "./rig.js";

export const folder = temporaryFolder();
export let rig: Rig;
beforeEach(() => {
  rig = connect();
});
afterEach(() => rig.hangUp());
afterAll(() => folder.remove());

/** In the place of the one that the test has got. */
export function renew(): void {
  rig.hangUp();
  rig = connect();
}
