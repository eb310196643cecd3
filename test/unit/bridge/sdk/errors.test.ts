// SynapseError: what it carries, how it is recognised, and what it refuses to be built from.
import { expect, test } from "@jest/globals";
import { Codes, isSynapseError, SynapseError } from "synapse-module-bridge";

test("a SynapseError carries what the client is to see", () => {
  const error = new SynapseError(403, "no links here", Codes.FORBIDDEN, { hint: "ask first" });
  expect(error).toMatchObject({
    name: "SynapseError",
    message: "403: no links here",
    code: 403,
    msg: "no links here",
    errcode: "M_FORBIDDEN",
    additional_fields: { hint: "ask first" },
  });
  expect(error).toBeInstanceOf(Error);
});

test("a SynapseError is M_UNKNOWN without fields unless it says otherwise", () => {
  expect(new SynapseError(500, "oh")).toMatchObject({ errcode: "M_UNKNOWN", additional_fields: {} });
});

test("a SynapseError is recognised by its brand, also when it comes from another copy of the package", () => {
  const foreign = Object.assign(new Error("no"), {
    [Symbol.for("synapse-module-bridge.SynapseError")]: true,
  });
  expect([new SynapseError(400, "x"), foreign].map(isSynapseError)).toEqual([true, true]);
  expect([new Error("x"), { code: 403, msg: "x" }, null, undefined, "x"].some(isSynapseError)).toBe(false);
});

test.each([
  [["403", "no"], TypeError, "code must be a number, not string"],
  [[200, "no"], RangeError, "code must be an HTTP status from 400 to 599, not 200"],
  [[404.5, "no"], RangeError, "not 404.5"],
  [[Number.NaN, "no"], RangeError, "not NaN"],
  [[403], TypeError, "msg must be a string, not undefined"],
  [[403, "no", 7], TypeError, "errcode must be one of Codes or a string, not number"],
  [[403, "no", "M_X", []], TypeError, "additional_fields must be an object, not an array"],
  [[403, "no", "M_X", null], TypeError, "additional_fields must be an object, not null"],
])("a SynapseError built from %j says what is wrong", (args, kind, message) => {
  const build = () => Reflect.construct(SynapseError, args);
  expect(build).toThrow(kind);
  expect(build).toThrow(message);
});
