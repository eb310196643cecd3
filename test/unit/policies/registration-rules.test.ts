import { expect, test } from "@jest/globals";
import { RegistrationBehaviour } from "synapse-module-bridge";
import { createTester } from "synapse-module-bridge/testing";
import policy from "../../../examples/policies/registration-rules.js";

const client = (address: string): [string, string] => ["a browser", address];
const registration = (username: string | null, address = "198.51.100.7", email?: string) => ({
  username,
  email_threepid: email === undefined ? null : ({ medium: "email", address: email } as const),
  request_info: [client(address)],
});
const now = "2026-01-10T00:00:00Z";

test.each([
  ["admin", true],
  ["the.admin", true],
  ["admin2", true],
  ["support-team", true],
  ["badminton", false],
  ["alice", false],
  [null, false],
])("the name %s is reserved: %s", async (name, isReserved) => {
  await using t = await createTester(policy, { now });
  const result = await t.ask("check_registration_for_spam", registration(name));
  if (isReserved)
    expect(result).toMatchObject({ outcome: "refused", error: { code: 400, errcode: "M_INVALID_USERNAME" } });
  else expect(result).toMatchObject({ outcome: "allowed", answer: RegistrationBehaviour.ALLOW });
});

test.each([
  ["203.0.113.9", true],
  ["198.51.100.7", false],
  ["2001:db8:1::1", true],
  ["2001:db9::1", false],
  ["203.0.113.254", true],
  ["no address", false],
])("a registration from %s is refused: %s", async (address, isRefused) => {
  await using t = await createTester(policy, {
    now,
    config: { refused_networks: ["203.0.113.0/24", "2001:db8::/32"] },
  });
  const result = await t.ask("check_registration_for_spam", registration("alice", address));
  expect(result.answer).toBe(isRefused ? RegistrationBehaviour.DENY : RegistrationBehaviour.ALLOW);
});

test("a network that is none stops the set-up, and says how to write one", async () => {
  const start = createTester(policy, { config: { refused_networks: ["203.0.113.0/33"] } });
  await expect(start).rejects.toThrow(/203\.0\.113\.0\/33 is no network/);
});

test.each([
  ["alice@example.org", true],
  ["alice@EXAMPLE.org", true],
  ["alice@evil.example", false],
  ["alice@example.org@evil.example", false],
  [undefined, false],
])("with email_domains, who has %s may register: %s", async (email, may) => {
  await using t = await createTester(policy, { now, config: { email_domains: ["example.org"] } });
  const result = await t.ask("check_registration_for_spam", registration("alice", undefined, email));
  expect(result).toMatchObject(
    may ? { outcome: "allowed" } : { outcome: "refused", error: { code: 403, errcode: "M_THREEPID_DENIED" } },
  );
});

test("who signs in by SSO needs no email address", async () => {
  await using t = await createTester(policy, { now, config: { email_domains: ["example.org"] } });
  const result = await t.ask("check_registration_for_spam", {
    ...registration("alice"),
    auth_provider_id: "oidc",
  });
  expect(result).toMatchObject({ outcome: "allowed" });
});

test.each([
  ["198.51.100.7", "198.51.100.7", "198.51.100.8"],
  ["2001:db8::1", "2001:db8:0:0:ffff::2", "2001:db8:0:1::1"],
])("from %s and %s come so many accounts in a day; %s counts for itself", async (first, same, other) => {
  await using t = await createTester(policy, { now, config: { per_day: 2 } });
  const register = async (address: string) =>
    (await t.ask("check_registration_for_spam", registration("alice", address))).outcome;
  expect([await register(first), await register(same), await register(first)]).toEqual([
    "allowed",
    "allowed",
    "refused",
  ]);
  expect(await register(other)).toBe("allowed");
  t.advance("1d");
  expect(await register(first)).toBe("allowed");
});

test("what an admin makes is not judged", async () => {
  await using t = await createTester(policy, { now });
  const result = await t.ask("check_registration_for_spam", {
    username: "admin",
    email_threepid: null,
    request_info: [],
  });
  expect(result).toMatchObject({ outcome: "allowed" });
});
