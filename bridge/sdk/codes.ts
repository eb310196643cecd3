// Generated from schemas/ by `npm run generate`: do not edit.
// Synapse's error codes and other constants, as enums: a bare string or a boolean in their place does not compile. And
// how calls of the api fail.

/**
 * Synapse's error codes, by Synapse's names for them. A verdict that is a code refuses, and the client gets
 * the code as `errcode`.
 *
 * Clients get a code also from an older Synapse, which does not have it. In Synapse:
 * `synapse.api.errors.Codes`.
 * @example
 * ```ts fragment callbacks
 * user_may_create_room: () => Codes.FORBIDDEN,
 * ```
 */
export enum Codes {
  UNRECOGNIZED = "M_UNRECOGNIZED",
  UNAUTHORIZED = "M_UNAUTHORIZED",
  FORBIDDEN = "M_FORBIDDEN",
  BAD_JSON = "M_BAD_JSON",
  NOT_JSON = "M_NOT_JSON",
  USER_IN_USE = "M_USER_IN_USE",
  ROOM_IN_USE = "M_ROOM_IN_USE",
  BAD_PAGINATION = "M_BAD_PAGINATION",
  BAD_STATE = "M_BAD_STATE",
  UNKNOWN = "M_UNKNOWN",
  NOT_FOUND = "M_NOT_FOUND",
  MISSING_TOKEN = "M_MISSING_TOKEN",
  UNKNOWN_TOKEN = "M_UNKNOWN_TOKEN",
  GUEST_ACCESS_FORBIDDEN = "M_GUEST_ACCESS_FORBIDDEN",
  LIMIT_EXCEEDED = "M_LIMIT_EXCEEDED",
  CAPTCHA_NEEDED = "M_CAPTCHA_NEEDED",
  CAPTCHA_INVALID = "M_CAPTCHA_INVALID",
  MISSING_PARAM = "M_MISSING_PARAM",
  INVALID_PARAM = "M_INVALID_PARAM",
  TOO_LARGE = "M_TOO_LARGE",
  EXCLUSIVE = "M_EXCLUSIVE",
  THREEPID_AUTH_FAILED = "M_THREEPID_AUTH_FAILED",
  THREEPID_IN_USE = "M_THREEPID_IN_USE",
  THREEPID_NOT_FOUND = "M_THREEPID_NOT_FOUND",
  THREEPID_DENIED = "M_THREEPID_DENIED",
  INVALID_USERNAME = "M_INVALID_USERNAME",
  /** Since Synapse 1.130.0. */
  THREEPID_MEDIUM_NOT_SUPPORTED = "M_THREEPID_MEDIUM_NOT_SUPPORTED",
  SERVER_NOT_TRUSTED = "M_SERVER_NOT_TRUSTED",
  CONSENT_NOT_GIVEN = "M_CONSENT_NOT_GIVEN",
  CANNOT_LEAVE_SERVER_NOTICE_ROOM = "M_CANNOT_LEAVE_SERVER_NOTICE_ROOM",
  RESOURCE_LIMIT_EXCEEDED = "M_RESOURCE_LIMIT_EXCEEDED",
  UNSUPPORTED_ROOM_VERSION = "M_UNSUPPORTED_ROOM_VERSION",
  INCOMPATIBLE_ROOM_VERSION = "M_INCOMPATIBLE_ROOM_VERSION",
  WRONG_ROOM_KEYS_VERSION = "M_WRONG_ROOM_KEYS_VERSION",
  EXPIRED_ACCOUNT = "ORG_MATRIX_EXPIRED_ACCOUNT",
  PASSWORD_TOO_SHORT = "M_PASSWORD_TOO_SHORT",
  PASSWORD_NO_DIGIT = "M_PASSWORD_NO_DIGIT",
  PASSWORD_NO_UPPERCASE = "M_PASSWORD_NO_UPPERCASE",
  PASSWORD_NO_LOWERCASE = "M_PASSWORD_NO_LOWERCASE",
  PASSWORD_NO_SYMBOL = "M_PASSWORD_NO_SYMBOL",
  PASSWORD_IN_DICTIONARY = "M_PASSWORD_IN_DICTIONARY",
  WEAK_PASSWORD = "M_WEAK_PASSWORD",
  INVALID_SIGNATURE = "M_INVALID_SIGNATURE",
  USER_DEACTIVATED = "M_USER_DEACTIVATED",
  USER_LOCKED = "M_USER_LOCKED",
  NOT_YET_UPLOADED = "M_NOT_YET_UPLOADED",
  CANNOT_OVERWRITE_MEDIA = "M_CANNOT_OVERWRITE_MEDIA",
  ALREADY_JOINED = "ORG.MATRIX.MSC3848.ALREADY_JOINED",
  NOT_JOINED = "ORG.MATRIX.MSC3848.NOT_JOINED",
  INSUFFICIENT_POWER = "ORG.MATRIX.MSC3848.INSUFFICIENT_POWER",
  USER_ACCOUNT_SUSPENDED = "M_USER_SUSPENDED",
  BAD_ALIAS = "M_BAD_ALIAS",
  UNABLE_AUTHORISE_JOIN = "M_UNABLE_TO_AUTHORISE_JOIN",
  UNABLE_TO_GRANT_JOIN = "M_UNABLE_TO_GRANT_JOIN",
  UNREDACTED_CONTENT_DELETED = "FI.MAU.MSC2815_UNREDACTED_CONTENT_DELETED",
  UNABLE_DUE_TO_PARTIAL_STATE = "ORG.MATRIX.MSC3895_UNABLE_DUE_TO_PARTIAL_STATE",
  USER_AWAITING_APPROVAL = "ORG.MATRIX.MSC3866_USER_AWAITING_APPROVAL",
  AS_PING_URL_NOT_SET = "M_URL_NOT_SET",
  AS_PING_BAD_STATUS = "M_BAD_STATUS",
  AS_PING_CONNECTION_TIMEOUT = "M_CONNECTION_TIMEOUT",
  AS_PING_CONNECTION_FAILED = "M_CONNECTION_FAILED",
  /** Since Synapse 1.161.0. */
  AS_FEDPROXY_NO_PROXY_PREFIX = "IO.ELEMENT.MSC4512.M_FEDPROXY_NO_PROXY_PREFIX",
  /** Since Synapse 1.161.0. */
  AS_FEDPROXY_PATH_NOT_ALLOWED = "IO.ELEMENT.MSC4512.M_FEDPROXY_PATH_NOT_ALLOWED",
  /** Since Synapse 1.161.0. */
  AS_FEDPROXY_CONNECTION_FAILED = "IO.ELEMENT.MSC4512.M_FEDPROXY_CONNECTION_FAILED",
  /** Since Synapse 1.161.0. */
  AS_FEDPROXY_DESTINATION_DENIED = "IO.ELEMENT.MSC4512.M_FEDPROXY_DESTINATION_DENIED",
  DUPLICATE_ANNOTATION = "M_DUPLICATE_ANNOTATION",
  /** Since Synapse 1.113.0. */
  UNKNOWN_POS = "M_UNKNOWN_POS",
  /** Since Synapse 1.123.0. */
  PROFILE_TOO_LARGE = "M_PROFILE_TOO_LARGE",
  /** Since Synapse 1.123.0. */
  KEY_TOO_LARGE = "M_KEY_TOO_LARGE",
  /** Since Synapse 1.161.0. */
  DELAY_TOO_LARGE = "ORG.MATRIX.MSC4140_DELAY_TOO_LARGE",
  /** Since Synapse 1.132.0. */
  INVITE_BLOCKED = "M_INVITE_BLOCKED",
  /** Since Synapse 1.139.0. */
  APPSERVICE_LOGIN_UNSUPPORTED = "M_APPSERVICE_LOGIN_UNSUPPORTED",
  /** Since Synapse 1.136.0. */
  MSC4306_CONFLICTING_UNSUBSCRIPTION = "IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION",
  /** Since Synapse 1.136.0. */
  MSC4306_NOT_IN_THREAD = "IO.ELEMENT.MSC4306.M_NOT_IN_THREAD",
  /** Since Synapse 1.140.0. */
  UNKNOWN_DEVICE = "M_UNKNOWN_DEVICE",
  /** Since Synapse 1.158.0. */
  USER_LIMIT_EXCEEDED = "M_USER_LIMIT_EXCEEDED",
}

/** The type of `NOT_SPAM`. */
export enum NotSpam {
  NOT_SPAM = "NOT_SPAM",
}

/**
 * The answer of a spam checker callback that allows. Synapse asks the next module.
 *
 * In Synapse: `synapse.module_api.NOT_SPAM`.
 * @example
 * ```ts fragment callbacks
 * user_may_create_room: () => NOT_SPAM,
 * ```
 */
export const NOT_SPAM = NotSpam.NOT_SPAM;

/**
 * The answers of `check_registration_for_spam`: `ALLOW` asks the next module, `DENY` refuses the
 * registration, and `SHADOW_BAN` registers a user whose events nobody else sees.
 *
 * In Synapse: `synapse.spam_checker_api.RegistrationBehaviour`.
 * @example
 * ```ts fragment callbacks
 * check_registration_for_spam({ email_threepid }) {
 *   return email_threepid === null ? RegistrationBehaviour.DENY : RegistrationBehaviour.ALLOW;
 * },
 * ```
 */
export enum RegistrationBehaviour {
  ALLOW = "allow",
  SHADOW_BAN = "shadow_ban",
  DENY = "deny",
}

/**
 * Why a call of the api failed: the `kind` of an ApiError.
 *
 * - `not_granted`: A module called a ModuleApi write that `grants` does not list.
 * - `membership_locked`: A module awaited a membership change inside a callback that decides about a
 *   membership of the same room.
 * - `wrong_process`: A ModuleApi method was called in a process of Synapse that cannot do it.
 * - `call_over`: State, a media file or a request was used after its call had ended.
 * - `api_error`: A ModuleApi call failed in Synapse with an exception that is not a SynapseError.
 * - `host_error`: The bridge itself failed.
 * @example
 * ```ts fragment handler
 * try {
 *   await api.set_displayname({ user_id, new_displayname: "Alice" });
 * } catch (error) {
 *   if (isApiError(error) && error.kind === "not_granted") log.warn(error.message);
 *   else throw error;
 * }
 * ```
 */
export type ApiErrorKind =
  | "not_granted"
  | "membership_locked"
  | "wrong_process"
  | "call_over"
  | "api_error"
  | "host_error";
