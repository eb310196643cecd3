// How long a test waits for modules that do not load.
import { afterAll, expect, test } from "@jest/globals";
import { catalogue } from "../../../../bridge/catalogue/catalogue.js";
import { Clock } from "../../../../bridge/testing/clock.js";
import { FakeStore } from "../../../../bridge/testing/fake-store.js";
import { FakeSynapse } from "../../../../bridge/testing/fake-synapse.js";
import { load } from "../../../../bridge/testing/loaded.js";
import { wantedModules } from "../../../../bridge/testing/wanted.js";
import { World } from "../../../../bridge/testing/world.js";
import { temporaryFolder } from "../../../support/temporary-folder.js";

const folder = temporaryFolder();
afterAll(() => folder.remove());

test("a file that awaits at its top level what never comes is given up, with what may be the cause", async () => {
  const file = folder.write("waits.ts", "await new Promise(() => {});\nexport default { callbacks: {} };\n");
  const clock = new Clock(undefined);
  const world = new World("example.org", clock, catalogue(), {}, {});
  const loading = load({
    ...{ wanted: wantedModules(file, {}), catalogue: catalogue(), clock, world },
    synapse: new FakeSynapse(world, new FakeStore(clock), {}),
    clockFile: () => folder.path("clock"),
    record: () => {},
    start_timeout_ms: 400,
  });
  await expect(loading).rejects.toThrow(
    "waits: not loaded (does it await something at its top level that never ends?) within 400ms",
  );
});
