// The modules that use the database and the store in tests: with the grants, without, and as a shadow.
import { bridge, examplePath } from "../../support/bridge.js";
import { modulePath } from "./module-path.js";

export function storageModules() {
  const path = modulePath("storage.ts");
  const module = (name: string, more: object = {}) => ({
    ...{ path, name, config: { path: `/_synapse/client/${name}` } },
    ...more,
  });
  const grants = ["run_db_interaction", "store"];
  return [
    bridge({
      timeout: "30s", // a locked database is waited for longer than a web handler usually may take
      modules: [
        module("granted", { grants }),
        module("other", { grants }),
        module("none"),
        module("shadow", { grants, shadow: true }),
        { path: examplePath("invite-limit.ts"), config: { per_hour: 2 }, grants: ["store"] },
      ],
    }),
  ];
}
