// The files that a test's Synapse starts from: those of the kit for authors.
export {
  type LogLevels,
  type ModuleEntry,
  writeConfig,
  writeLogConfig,
} from "../../bridge/testing/synapse/homeserver-yaml.js";
