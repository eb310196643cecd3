// What authors' tests can import from "synapse-module-bridge/testing".

export type { EventFields } from "./event.js";
export { event } from "./event.js";
export type {
  Asked,
  AskParams,
  AskResult,
  EventInput,
  FakeApi,
  FetchOptions,
  NotAsked,
  RequestInput,
  RoomOption,
  StateInput,
  Tester,
  TesterInput,
  TesterOptions,
  UserOption,
  Write,
} from "./options.js";
export { createTester } from "./tester.js";
