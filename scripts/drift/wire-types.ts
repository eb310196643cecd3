// Which of Synapse's type hints each wire type stands for: to compare the two, and to propose a wire type for a new hint.

const JSON_OBJECTS = ["dict[str, Any]", "dict", "Mapping[str, Any]"];
const STATE = "Mapping[tuple[str, str], Event]";
const REFUSAL = "Codes | Literal['NOT_SPAM'] | tuple[Codes, dict[str, Any]]";
const VERDICT = "Codes | Literal['NOT_SPAM'] | bool | tuple[Codes, dict[str, Any]]";
const NOTHING = ["None", "Any"];

/** By wire type. The first one that has a hint is proposed for it, so the general ones come first. */
const HINTS: Readonly<Record<string, readonly string[]>> = {
  Text: ["str", "DomainSpecificString | str"],
  // A parameter that tells whether it was left out has another class in other releases.
  Flag: ["bool", "AbsentType | bool", "Sentinel | bool"],
  Integer: ["int"],
  JsonObject: JSON_OBJECTS,
  Json: ["Any"],
  Bytes: ["bytes"],
  Texts: ["list[str]", "Iterable[str]", "Collection[str]"],
  UserId: ["UserID", "str"],
  RoomId: ["RoomID", "str"],
  RoomAlias: ["RoomAlias", "str"],
  DeviceId: ["str"],
  ServerName: ["str"],
  Medium: ["str"],
  Membership: ["str"],
  Visibility: ["str"],
  Milliseconds: ["int"],
  UserIds: ["Iterable[str]"],
  ServerNames: ["list[str]"],
  Event: ["Event"],
  Events: ["Iterable[Event]", STATE],
  StateEvents: [STATE],
  StateFilter: ["Iterable[tuple[str, str | None]]"],
  StateContent: ["dict[str, Any]"],
  Requester: ["Requester"],
  UserInfo: ["UserInfo"],
  UserProfile: ["UserProfile"],
  ProfileInfo: ["ProfileInfo"],
  Threepid: ["dict"],
  Threepids: ["list[dict[str, str]]"],
  RequestInfo: ["Collection[tuple[str, str]]", "Collection[tuple[str | None, str]]"],
  RoomConfig: ["dict[str, Any]"],
  RequestContent: ["dict"],
  RoomToCreate: ["dict[str, Any]"],
  FileWrapper: ["ReadableFileWrapper"],
  FileInfo: ["FileInfo"],
  MediaUploadLimit: ["MediaUploadLimit"],
  UserPresenceStates: ["Iterable[UserPresenceState]"],
  PresenceUpdates: ["Mapping[str, tuple[str, str | None]]"],
  FederationEventDeliveryEvent: ["FederationEventDeliveryEvent"],
  HttpRequest: ["Request"],
  WebRequest: ["SynapseRequest"],
  HttpHeaders: ["Headers", "Mapping[bytes, RawHeaderValue] | Mapping[str, RawHeaderValue]"],
  QueryArgs: [
    "Mapping[str, list[str] | str]",
    "Mapping[bytes, Iterable[bytes | str] | bytes | str] | Mapping[str, Iterable[bytes | str] | bytes | str]",
  ],
  HttpResponse: ["IResponse"],
  PushActions: ["list[dict[str, str] | str]"],
  UserIpsAndAgents: ["list[UserIpAndAgent]"],
  ServiceUsers: ["list[tuple[str, str]]"],
  RoomAliasLookup: ["tuple[str, list[str]]"],
  CreatedRoom: ["tuple[str, str | None]"],
  UserAndToken: ["tuple[str, str]"],
  DeviceTokens: ["tuple[str, str, int | None, str | None]"],
  DeviceFlags: ["dict[str, bool]"],
  Templates: ["list[Template]"],
  // Answers.
  Nothing: NOTHING,
  Edits: NOTHING,
  LegacyAdminResult: ["Any"],
  Permission: ["bool"],
  HideVerdict: ["bool"],
  UploadPermission: ["bool"],
  ThreepidPermission: ["bool"],
  DropVerdict: ["bool | str"],
  SpamVerdict: [VERDICT],
  MediaVerdict: [VERDICT],
  LoginVerdict: [REFUSAL],
  StateEventVerdict: [REFUSAL],
  EventSpamVerdict: ["Codes | bool | str | tuple[Codes, dict[str, Any]]"],
  RegistrationVerdict: ["RegistrationBehaviour"],
  EventAllowedVerdict: ["tuple[bool, dict | None]"],
  Expired: ["bool | None"],
  RenewalResult: ["tuple[bool, bool, int]"],
  RatelimitOverride: ["RatelimitOverride | None"],
  MediaConfig: ["dict[str, Any] | None"],
  MediaUploadLimits: ["list[MediaUploadLimit] | None"],
  PresenceRoutes: ["dict[str, set[UserPresenceState]]"],
  InterestedUsers: ["set[str] | str"],
  Authenticated: ["tuple[str, Callable[[LoginResponse], Awaitable[None]] | None] | None"],
  ChosenName: ["str | None"],
  UpdateDuration: ["AbstractAsyncContextManager[int]"],
  BatchSize: ["int"],
  UnsignedFields: ["dict[str, Any]"],
};

/** Before 1.163 events have another class. */
const asNow = (hint: string) => hint.replaceAll(/\bEventBase\b/g, "Event");

/** Whether a wire type, with ? for null, is what the hint says. */
export function fits(type: string, hint: string): boolean {
  const hints = HINTS[type.replace(/\?$/, "")] ?? [];
  const wanted = type.endsWith("?") ? withoutNone(asNow(hint)) : asNow(hint);
  return wanted !== undefined && hints.includes(wanted);
}

/** The rest of a hint that allows None; undefined if it does not. */
export function withoutNone(hint: string): string | undefined {
  return hint.endsWith(" | None") ? hint.slice(0, -" | None".length) : undefined;
}

/** The wire types that stand for a hint, best first. */
export function wireTypesFor(hint: string): string[] {
  const exact = Object.keys(HINTS).filter((type) => fits(type, hint));
  const rest = withoutNone(hint);
  return rest === undefined ? exact : [...exact, ...wireTypesFor(rest).map((type) => `${type}?`)];
}

export const KNOWN_TYPES: readonly string[] = Object.keys(HINTS);
