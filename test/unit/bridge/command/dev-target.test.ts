import { afterAll, describe, expect, test } from "@jest/globals";
import { readTarget } from "../../../../bridge/command/dev-target.js";
import { temporaryFolder } from "../../../support/temporary-folder.js";

const folder = temporaryFolder();
afterAll(() => folder.remove());

const ENTRY = `modules:
  - module: synapse_module_bridge.ModuleBridge
    config:
`;
const read = (block: string) => readTarget(folder.write("homeserver.yaml", ENTRY + block));

describe("of a homeserver.yaml,", () => {
  test("what is for the admin's own machine is left out: workers, Node, and the folder of recordings", () => {
    const { modules, config } = read(`
      node: /opt/node
      workers: [worker1]
      record: { folder: /var/lib/recordings }
      timeout: 3s
      callbacks: { check_event_for_spam: { workers: [worker1], timeout: 1s } }
      modules: [{ path: /srv/policy.ts, name: policy }]
`);
    expect({ modules, config }).toEqual({
      modules: [{ path: "/srv/policy.ts", name: "policy" }],
      config: { timeout: "3s", callbacks: { check_event_for_spam: { timeout: "1s" } } },
    });
  });

  test("a fault is told with the name of the file", () => {
    const file = folder.write("bad.yaml", "modules: [\n- {");
    expect(() => readTarget(file)).toThrow(/bad\.yaml is no YAML: line \d/);
    expect(() => readTarget(folder.path("none.yaml"))).toThrow(/there is no file .*none\.yaml/);
  });

  test("a callback without settings is left to the bridge, which says what is wrong", () => {
    const { config } = read(`
      callbacks: { check_event_for_spam: , user_may_invite: 5 }
      modules: []
`);
    expect(config).toEqual({ callbacks: { check_event_for_spam: null, user_may_invite: 5 } });
  });

  test.each(["{ name: second }", "{ path: 5 }", "policy.ts", ""])(
    "a module like `%s` is refused",
    (entry) => {
      expect(() =>
        read(`
      modules:
        - { path: /srv/policy.ts }
        - ${entry}
`),
      ).toThrow("homeserver.yaml: modules[1] of the bridge has no `path`");
    },
  );
});
