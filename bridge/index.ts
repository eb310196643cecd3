// All that a module imports.
export { Codes, NOT_SPAM, RegistrationBehaviour } from "./codes.js";
export { DatabaseError, isDatabaseError } from "./database-error.js";
export type * from "./define.js";
export { defineModule } from "./define.js";
export type { ApiErrorKind } from "./errors.js";
export {
  ApiError,
  HttpResponseException,
  isApiError,
  isHttpResponseException,
  isSynapseError,
  SynapseError,
} from "./errors.js";
export type * from "./generated.js";
export type * from "./json.js";
export type * from "./match-types.js";
export type * from "./objects.js";
export type * from "./storage-types.js";
