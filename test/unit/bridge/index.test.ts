// What the package exports is a promise to module authors: a change here is a change of the interface.
import { expect, test } from "@jest/globals";
import * as surface from "synapse-module-bridge";
import * as kit from "synapse-module-bridge/testing";
import * as synapse from "synapse-module-bridge/testing/synapse";

test("a module can import these values, and no others", () => {
  expect(Object.keys(surface)).toEqual([
    "ApiError",
    "Codes",
    "DatabaseError",
    "HttpResponseException",
    "NOT_SPAM",
    "RateLimiter",
    "RegistrationBehaviour",
    "SynapseError",
    "contentOf",
    "defineHead",
    "defineModule",
    "isApiError",
    "isDatabaseError",
    "isEventId",
    "isHttpResponseException",
    "isRoomAlias",
    "isRoomId",
    "isSynapseError",
    "isUserId",
    "malformed",
  ]);
});

test("a test can import these values, and no others", () => {
  expect(Object.keys(kit)).toEqual(["createTester", "event"]);
  expect(Object.keys(synapse)).toEqual([
    "MatrixError",
    "NEWEST_TESTED",
    "SynapseStartError",
    "prepareSynapse",
    "startSynapse",
    "waitFor",
  ]);
});

test("defineModule gives back the literal that it was given", () => {
  const module = { callbacks: { user_may_invite: () => surface.NOT_SPAM } };
  expect(surface.defineModule(module)).toBe(module);
});
