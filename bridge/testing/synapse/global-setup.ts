// Installs Synapse before the tests, so that those that start one need not wait for it: a global set-up for vitest, jest
// and `node --test --test-global-setup`.
import { installSynapse } from "./installation.js";

export default async function setup(): Promise<void> {
  await installSynapse();
}

export { setup as globalSetup };
