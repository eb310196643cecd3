// Answers that a JavaScript module may give by mistake, and that Synapse must not see, by result type.
export const unfitAnswers: Readonly<Record<string, readonly (null | boolean | number | string | object)[]>> =
  {
    EventSpamVerdict: [null, 7, [], {}, ["M_FORBIDDEN", {}, {}]],
    SpamVerdict: [null, 7, [], {}, ["M_FORBIDDEN", {}, {}]],
    LoginVerdict: [null, 7, [], {}, ["M_FORBIDDEN"]],
    MediaVerdict: [null, 7, [], {}, ["M_FORBIDDEN"]],
    StateEventVerdict: [null, 7, [], {}, ["M_FORBIDDEN", {}]],
    DropVerdict: [null, 7, [], {}, "NOT_SPAM"],
    HideVerdict: [null, 7, [], {}, "yes"],
    RegistrationVerdict: [true, 7, [], {}, "ALLOW"],
    EventAllowedVerdict: [null, 7, [], {}, "spam"],
    Permission: [null, 1, [], {}, "yes"],
    Edits: [7, false, "no"],
    Nothing: [7, false, "no"],
    Expired: [7, "yes", [], {}],
    RenewalResult: [null, true, [true, false], {}],
    // Anything is an answer.
    LegacyAdminResult: [],
    RatelimitOverride: [true, [], "many", { per_second: 0, burst_count: 1 }],
    MediaConfig: [true, 7, [], "none"],
    UploadPermission: [null, 1, {}, "yes"],
    MediaUploadLimits: [true, 7, {}, [{ max_bytes: "1" }]],
    PresenceRoutes: [null, 7, [], "ALL"],
    InterestedUsers: [null, {}, "all", [7]],
    ThreepidPermission: [null, 1, {}, "yes"],
    ChosenName: [true, 7, [], {}],
  };
