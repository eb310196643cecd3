// The page: the form to sign in, or the views and the way between them.
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ADMIN_LIMITS, type Status } from "../catalogue/admin-api.js";
import { type Api, apiOf } from "./api.js";
import { Charts } from "./charts.js";
import { Decisions } from "./decisions.js";
import { type Loaded, usePolled } from "./loading.js";
import { Modules } from "./modules.js";
import { Overview } from "./overview.js";
import { Foreign, Staleness } from "./parts.js";
import { type Session, statusOf } from "./requests.js";
import { addressOf, type Route, useRoute, VIEWS, type View } from "./route.js";
import { forget, isOver, kept } from "./session.js";
import { ShadowReports } from "./shadow.js";
import { SignIn } from "./sign-in.js";
import { SignOut } from "./sign-out.js";
import type { ViewProps } from "./view-props.js";

const TITLES: Readonly<Record<View, string>> = {
  overview: "Overview",
  modules: "Modules",
  decisions: "Decisions",
  shadow: "Shadow reports",
  charts: "Charts",
};

export function Page() {
  const [session, setSession] = useState(kept);
  const [reason, setReason] = useState<string>();
  const end = useCallback((why: string) => {
    forget();
    setReason(why);
    setSession(undefined);
  }, []);
  if (session === undefined) return <SignIn reason={reason} onSignedIn={setSession} />;
  return <SignedIn key={session.token} session={session} onEnd={end} />;
}

function SignedIn({ session, onEnd }: { session: Session; onEnd: (why: string) => void }) {
  const api = useMemo(
    () =>
      apiOf(session, (error) => {
        const status = statusOf(error);
        const end = () => onEnd("Your session has ended. Sign in again.");
        if (status === 401) end();
        // The API answers 404 to a token that has ended, as to everybody who is no admin.
        else if (status === 404) void isOver(session).then((over) => over && end());
      }),
    [session, onEnd],
  );
  const status = usePolled(
    useCallback(() => api.status(), [api]),
    ADMIN_LIMITS.status_ms,
  );
  const route = useRoute();
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        To the content
      </button>
      <header>
        <p class="brand">
          Module bridge <span class="server">{status.value?.server_name}</span>
        </p>
        <nav aria-label="Views">
          <ul>
            {VIEWS.map((view) => (
              <li key={view}>
                <a href={addressOf(view)} aria-current={view === route.view ? "page" : undefined}>
                  {TITLES[view]}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div class="who">
          {session.userId !== undefined && <Foreign text={session.userId} />}
          <SignOut session={session} onSignedOut={onEnd} />
        </div>
      </header>
      <Main route={route} api={api} status={status} />
    </>
  );
}

interface MainProps {
  readonly route: Route;
  readonly api: Api;
  readonly status: Loaded<Status>;
}

function Main({ route, api, status }: MainProps) {
  const title = TITLES[route.view];
  const main = useRef<HTMLElement>(null);
  const shown = useRef(route.view);
  useEffect(() => {
    document.title = `${title} · Module bridge`;
    // Who moves by keyboard or listens is taken to the new view.
    if (shown.current !== route.view) main.current?.focus();
    shown.current = route.view;
  }, [title, route.view]);
  return (
    <main id="main" ref={main} tabIndex={-1} aria-busy={status.value === undefined && status.isLoading}>
      <h1>{title}</h1>
      <Staleness loaded={status} again="The page tries again every 5 s." />
      {status.value === undefined ? (
        status.problem === undefined && <p>Loading …</p>
      ) : (
        <Content route={route} api={api} status={status.value} reload={status.reload} />
      )}
    </main>
  );
}

function Content({ route, ...props }: ViewProps & { readonly route: Route }) {
  if (route.view === "modules") return <Modules {...props} />;
  if (route.view === "decisions") return <Decisions {...props} query={route.query} />;
  if (route.view === "shadow") return <ShadowReports {...props} />;
  if (route.view === "charts") return <Charts {...props} />;
  return <Overview {...props} />;
}
