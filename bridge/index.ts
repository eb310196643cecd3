// Everything that a module can import from "synapse-module-bridge".

export type * from "./sdk/callbacks.js";
export type { ApiErrorKind, NotSpam } from "./sdk/codes.js";
export { Codes, NOT_SPAM, RegistrationBehaviour } from "./sdk/codes.js";
export type * from "./sdk/config-types.js";
export type * from "./sdk/contents.js";
export { contentOf, malformed } from "./sdk/contents.js";
export { DatabaseError, isDatabaseError } from "./sdk/database-error.js";
export type * from "./sdk/define.js";
export { defineHead, defineModule } from "./sdk/define.js";
export type * from "./sdk/entries.js";
export {
  ApiError,
  HttpResponseException,
  isApiError,
  isHttpResponseException,
  isSynapseError,
  SynapseError,
} from "./sdk/errors.js";
export type { EventContents } from "./sdk/event-contents.js";
export type * from "./sdk/grant-types.js";
export type { Id } from "./sdk/ids.js";
export { isEventId, isRoomAlias, isRoomId, isUserId } from "./sdk/ids.js";
export type * from "./sdk/json.js";
export type * from "./sdk/match-types.js";
export type * from "./sdk/module-api.js";
export type * from "./sdk/objects.js";
export type { RateLimit, RateLimitResult } from "./sdk/rate-limiter.js";
export { RateLimiter } from "./sdk/rate-limiter.js";
export type * from "./sdk/storage-types.js";
export type * from "./sdk/wire-types.js";
