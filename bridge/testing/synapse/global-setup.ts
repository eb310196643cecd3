// Installs Synapse before the tests, so that those that start one need not wait for it: a global set-up for vitest, jest
// and `node --test --test-global-setup`.
import { prepareSynapse } from "./prepared.js";

export default async function setup(): Promise<void> {
  await prepareSynapse();
}

export { setup as globalSetup };
