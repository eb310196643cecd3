// The admin's page in a real Chromium, on a real Synapse: signing in and out, each view, the switch, Node down, hostile text, the
// keyboard alone. Screenshots of each view are kept in node_modules/.cache/synapse-module-bridge/screenshots.
import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import type { Browser } from "playwright-core";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { raw } from "../../support/admin-api.js";
import { bridge, shim } from "../../support/bridge.js";
import { findChromium, startChromium } from "../../support/chromium.js";
import { Client, password, registerUser } from "../../support/client.js";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { host, interruptibleNode } from "../../support/host.js";
import { projectRoot, venvPython } from "../../support/paths.js";
import { childrenOf } from "../../support/processes.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import {
  accessibilityFaults,
  type Look,
  openTab,
  pagePath,
  show,
  signIn,
  type Tab,
  tabIn,
  useToken,
  VIEWS,
} from "./browser.js";

const screenshots = join(projectRoot, "node_modules/.cache/synapse-module-bridge/screenshots");
const found = await findChromium();
const describePage = "path" in found ? describe : describe.skip;
if ("problem" in found) console.warn(`The tests of the admin's page are left out: ${found.problem}.`);

const folder = temporaryFolder();
const { node, down } = interruptibleNode(folder);
// They say who has said what, as no good policy would.
const gate = folder.write(
  "gate.ts",
  `import { Codes, contentOf, defineModule, NOT_SPAM } from "synapse-module-bridge";
export default defineModule({
  callbacks: {
    check_event_for_spam({ event }, { reason }) {
      const body = contentOf(event, "m.room.message")?.body ?? "";
      if (body.startsWith("crash")) process.kill(process.pid, "SIGKILL");
      if (!body.startsWith("refuse")) return NOT_SPAM;
      reason(body, { said: body });
      return Codes.FORBIDDEN;
    },
  },
});`,
);
const ideas = folder.write(
  "ideas.ts",
  `import { Codes, contentOf, defineModule, NOT_SPAM } from "synapse-module-bridge";
export default defineModule({
  callbacks: {
    check_event_for_spam: ({ event }) =>
      contentOf(event, "m.room.message")?.body?.includes("idea") ? Codes.FORBIDDEN : NOT_SPAM,
  },
});`,
);

// Markup, a name that a browser would run, and characters that turn text around.
const HOSTILE = `<img src=x onerror=alert(1)><script>alert(2)</script>" onmouseover="alert(3) \u202egpj.exe`;

describePage("the admin's page", () => {
  let hs: Homeserver;
  let browser: Browser;
  let admin: Client;
  let alice: Client;
  let room: string;
  const tabs: Tab[] = [];

  const open = async (look?: Look) => {
    const tab = await openTab(browser, hs.baseUrl, look);
    tabs.push(tab);
    return tab;
  };
  const signedIn = async (look?: Look) => {
    const tab = await open(look);
    await signIn(tab, "admin", password);
    return tab;
  };

  beforeAll(async () => {
    rmSync(screenshots, { recursive: true, force: true });
    mkdirSync(screenshots, { recursive: true });
    hs = await startHomeserver({
      modules: [
        bridge({
          modules: [{ path: gate }, { path: ideas, mode: "shadow" }],
          ...{ node, admin_api: "page" },
        }),
      ],
      pythonPath: [shim],
    });
    admin = await registerUser(hs, "admin", { admin: true });
    alice = await registerUser(hs, "alice");
    room = (await alice.createRoom()).body.room_id;
    for (const body of ["hello", `refuse ${HOSTILE}`, "an idea", "refuse an idea"])
      await alice.say(room, body);
    browser = await startChromium("path" in found ? found.path : "");
  }, 90_000);
  afterAll(async () => {
    await browser?.close();
    await hs?.stop();
    folder.remove();
  });
  afterEach(async () => {
    rmSync(down, { force: true });
    for (const tab of tabs.splice(0)) {
      await tab.expectClean();
      await tab.context.close();
    }
  });

  test.each(["", "/", "/index.html", "/v2"])("what is at %j can only be read", async (below) => {
    const methods = below.length < 2 ? ["POST", "PUT", "DELETE"] : ["GET", "POST"];
    for (const method of methods) {
      const [there, unknown] = await Promise.all(
        ["module_bridge", "module_bride"].map((name) =>
          raw(hs.baseUrl, method, `/_synapse/client/${name}${below}`),
        ),
      );
      expect([method, there]).toEqual([method, unknown]);
    }
  });

  describe("signing in", () => {
    test("without a token there is a form, and no data", async () => {
      const tab = await open();
      await tab.page.getByRole("button", { name: "Sign in" }).waitFor();
      expect(await tab.page.getByRole("navigation").count()).toBe(0);
      expect(tab.asked().filter((path) => !path.startsWith(`GET ${pagePath}`))).toEqual([
        "GET /_matrix/client/v3/login",
      ]);
    });

    test("with a password makes a session that says what it is, and signing out ends it", async () => {
      const tab = await signedIn();
      const { body } = await admin.get("/_matrix/client/v3/devices");
      const names = body.devices.map((device: { display_name: string }) => device.display_name);
      expect(names).toContain("Module bridge: admin page");
      await tab.page.getByRole("button", { name: "Sign out" }).click();
      await tab.page.getByText("The token has been revoked").waitFor();
      expect((await admin.get("/_matrix/client/v3/devices")).body.devices).toHaveLength(
        body.devices.length - 1,
      );
    });

    test("with a wrong password says so", async () => {
      const tab = await open();
      await tab.page.getByLabel("User name").fill("admin");
      await tab.page.getByLabel("Password", { exact: true }).fill("wrong");
      await tab.page.getByRole("button", { name: "Sign in" }).click();
      expect(await tab.page.getByRole("alert").textContent()).toContain("Invalid username or password");
      expect(await tab.page.getByLabel("Password", { exact: true }).inputValue()).toBe("");
    });

    test("a user who is no admin hears so, and the new session is gone", async () => {
      const before = (await alice.get("/_matrix/client/v3/devices")).body.devices.length;
      const tab = await open();
      await tab.page.getByLabel("User name").fill("alice");
      await tab.page.getByLabel("Password", { exact: true }).fill(password);
      await tab.page.getByRole("button", { name: "Sign in" }).click();
      expect(await tab.page.getByRole("alert").textContent()).toContain(
        "@alice:test.localhost is no server admin",
      );
      expect(await tab.page.evaluate("sessionStorage.length")).toBe(0);
      expect((await alice.get("/_matrix/client/v3/devices")).body.devices).toHaveLength(before);
    });

    test("a pasted token of no admin is not kept, and goes on elsewhere", async () => {
      const tab = await open();
      await useToken(tab, alice.accessToken);
      expect(await tab.page.getByRole("alert").textContent()).toContain("is no server admin");
      await useToken(tab, "nonsense");
      await tab.page.getByText("does not know this token").waitFor();
      expect(await tab.page.evaluate("sessionStorage.length")).toBe(0);
      expect(await alice.whoami()).toMatchObject({ status: 200 });
    });

    test("a pasted token is only forgotten if the admin says so", async () => {
      const tab = await open();
      await useToken(tab, admin.accessToken);
      await tab.page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
      await tab.page.getByText("@admin:test.localhost").waitFor();
      await tab.page.getByRole("button", { name: "Sign out" }).click();
      await tab.page.getByRole("button", { name: "Only forget it here" }).click();
      await tab.page.getByText("The server takes it still").waitFor();
      expect(await tab.page.evaluate("sessionStorage.length")).toBe(0);
      expect(await admin.whoami()).toMatchObject({ status: 200 });
    });

    test("is for one tab: it survives a reload, another tab has to sign in, and both can", async () => {
      const tab = await signedIn();
      await tab.page.reload();
      await tab.page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
      const other = await tabIn(tab.context, hs.baseUrl);
      await other.page.getByRole("button", { name: "Sign in" }).waitFor();
      await signIn(other, "admin", password);
      await other.page.getByRole("button", { name: "Sign out" }).click();
      await other.page.getByText("The token has been revoked").waitFor();
      await other.expectClean();
      await show(tab, "Charts");
    });

    test("whose token ends elsewhere is asked to sign in again", async () => {
      const tab = await open();
      const { body } = await new Client(hs.baseUrl).login("admin", password);
      await useToken(tab, body.access_token);
      await tab.page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
      await new Client(hs.baseUrl, body.user_id, body.access_token).post("/_matrix/client/v3/logout");
      await tab.page.getByText("Your session has ended").waitFor();
      expect(await tab.page.evaluate("sessionStorage.length")).toBe(0);
    });
  });

  describe("the views", () => {
    test("the overview has the process, its Node and its modules", async () => {
      const tab = await signedIn();
      const processes = tab.page.getByRole("region", { name: "Processes" });
      await processes.getByRole("cell", { name: "main" }).waitFor();
      expect(await processes.textContent()).toContain(process.version);
      const modules = tab.page.getByRole("region", { name: "Modules in each process" });
      expect(await modules.getByRole("row").count()).toBe(3);
    });

    test("decisions can be searched, by links too, and what users wrote is only text", async () => {
      const tab = await signedIn();
      await show(tab, "Decisions");
      const table = tab.page.getByRole("table", { name: "Decisions" });
      await table.getByText("onerror=alert(1)").first().waitFor();
      expect(await table.textContent()).toContain("⟨U+202E⟩gpj.exe");
      await tab.page.getByLabel("Outcome").selectOption("would_refuse");
      await tab.page.getByRole("button", { name: "Search" }).click();
      await waitFor("shadow decisions alone", async () =>
        (await table.locator(".badge").allTextContents()).every((text) => text === "would refuse"),
      );
      await tab.page.getByRole("link", { name: "Clear" }).click();
      await table
        .getByRole("link", { name: /about the user @alice/ })
        .first()
        .click();
      const field = tab.page.getByLabel("User", { exact: true });
      await waitFor("the search", async () => (await field.inputValue()) === "@alice:test.localhost");
      await tab.page.getByLabel("User", { exact: true }).fill("@nobody:test.localhost");
      await tab.page.keyboard.press("Enter");
      await tab.page.getByText("No decision fits").waitFor();
    });

    test("hostile text in an address and in a note is only text", async () => {
      const tab = await signedIn();
      await tab.page.evaluate(
        (hash) => {
          (globalThis as unknown as { location: { hash: string } }).location.hash = hash;
        },
        `#/decisions?user=${encodeURIComponent(`@${HOSTILE}`)}&module=${encodeURIComponent(HOSTILE)}`,
      );
      await tab.page.getByRole("heading", { name: /onerror=alert/ }).waitFor();
      const path = `/_synapse/client/module_bridge/v1/modules/gate`;
      expect(await admin.put(path, { mode: "enforce", note: HOSTILE })).toMatchObject({ status: 200 });
      await show(tab, "Modules");
      await tab.page.getByText("onerror=alert(1)").waitFor();
      await admin.request("DELETE", path);
      await tab.page.getByText("onerror=alert(1)").waitFor({ state: "detached" });
    });

    test("the shadow report says what would have been refused, and what was really decided", async () => {
      const tab = await signedIn();
      await show(tab, "Shadow reports");
      const report = tab.page.getByRole("article", { name: "ideas" });
      await waitFor("the report", async () => {
        await tab.page.getByRole("button", { name: "Refresh" }).click();
        return (await report.textContent({ timeout: 1_000 }).catch(() => ""))?.includes(
          "@alice:test.localhost",
        );
      });
      expect(await report.textContent()).toMatch(/Would have refused [12] of \d/);
    });

    test("the charts have what was asked in each hour, in figures, too", async () => {
      const tab = await signedIn();
      await show(tab, "Charts");
      const charts = tab.page.getByRole("article", { name: "gate" });
      await waitFor(
        "the counters",
        async () => {
          await tab.page.getByRole("button", { name: "Refresh" }).click();
          await tab.page.getByText("Loading …").waitFor({ state: "detached" });
          return (await charts.getByRole("img").count()) === 3;
        },
        15_000,
      );
      await charts.getByText("The figures of gate as a table").click();
      await charts.getByRole("columnheader", { name: "99 % within" }).waitFor();
    });
  });

  test("a failing refresh keeps what was shown, and says of when it is", async () => {
    const tab = await signedIn();
    await tab.page.route("**/v1/status", (route) => route.abort());
    await tab.page.getByText("What is shown is of").waitFor();
    expect(await tab.page.getByRole("region", { name: "Processes" }).textContent()).toContain("main");
    await tab.page.unroute("**/v1/status");
    await tab.page.getByRole("button", { name: "Try again" }).click();
    await tab.page.getByText("What is shown is of").waitFor({ state: "detached" });
  });

  test("a page that nobody sees asks for nothing", async () => {
    const tab = await signedIn();
    await tab.page.clock.install();
    const see = (isHidden: boolean) =>
      tab.page.evaluate(`
        Object.defineProperty(document, "hidden", { configurable: true, get: () => ${isHidden} });
        document.dispatchEvent(new Event("visibilitychange"));
      `);
    const isAsked = () => tab.asked().some((path) => path.endsWith("/v1/status"));
    await see(false);
    await waitFor("a status", isAsked);
    await tab.page.getByRole("region", { name: "Processes" }).waitFor();
    await see(true);
    await tab.page.clock.runFor(1_000);
    tab.asked();
    await tab.page.clock.runFor(60_000);
    expect(isAsked()).toBe(false);
    await see(false);
    await waitFor("the status of who looks again", isAsked);
  });

  test("a module is switched off while messages flow, and goes back to the YAML", async () => {
    const tab = await signedIn();
    await show(tab, "Modules");
    const card = tab.page.getByRole("article", { name: /^gate/ });
    const statuses: number[] = [];
    let isOver = false;
    const flow = (async () => {
      while (!isOver) statuses.push((await alice.say(room, "refuse this")).status);
    })();
    try {
      await waitFor("a refusal", () => statuses.includes(403));
      await card.getByLabel("off").check();
      await card.getByLabel("How long").selectOption("1h");
      await card.getByLabel("Why, for the record").fill("refuses too much");
      await card.getByRole("button", { name: "Apply" }).click();
      const dialog = tab.page.getByRole("dialog", { name: "Set gate to off?" });
      await dialog.getByRole("button", { name: "Cancel" }).click();
      expect(statuses).not.toContain(200);
      await card.getByRole("button", { name: "Apply" }).click();
      await dialog.getByRole("button", { name: "Set to off" }).click();
      await waitFor("a message that passes", () => statuses.includes(200));
      await card.getByText("The only process has this mode in force").waitFor();
      await card.getByText("Note: refuses too much").waitFor();
      await show(tab, "Overview");
      await tab.page.getByText("gate is set to off by @admin:test.localhost until").waitFor();
      await show(tab, "Modules");
      await card.getByRole("button", { name: "Back to homeserver.yaml (enforce)" }).click();
      await card.getByText("The mode is that of homeserver.yaml").waitFor();
      await waitFor("a refusal again", () => statuses.at(-1) === 403);
    } finally {
      isOver = true;
      await flow;
    }
    expect([...new Set(statuses)].sort()).toEqual([200, 403]);
  });

  test("while Node is down the page is there, says so, and lets an admin in", async () => {
    // The change of a mode has made another Node take over.
    await waitFor("one Node", () => childrenOf(hs.pid).length === 1);
    writeFileSync(down, "");
    process.kill(host(hs.pid), "SIGKILL");
    const tab = await signedIn();
    await tab.page.getByText("Node is down in main").waitFor();
    for (const view of VIEWS) await show(tab, view);
    rmSync(down);
    await show(tab, "Overview");
    await tab.page.getByText("All is well").waitFor();
    expect(await tab.page.getByRole("region", { name: "Processes" }).textContent()).toContain("SIGKILL");
  });

  test("the keyboard alone is enough, and the focus can be seen", async () => {
    const tab = await open();
    const { keyboard } = tab.page;
    const reach = async (name: string | RegExp, role: "button" | "link" | "textbox" | "radio") => {
      for (let steps = 0; steps < 60; steps++) {
        await keyboard.press("Tab");
        expect(await tab.page.evaluate(`getComputedStyle(document.activeElement).outlineStyle`)).not.toBe(
          "none",
        );
        const focused = tab.page.locator(":focus");
        if (await focused.and(tab.page.getByRole(role, { name })).count()) return;
      }
      throw new Error(`the keyboard does not reach ${name}`);
    };
    await tab.page.getByRole("button", { name: "Sign in" }).waitFor();
    await reach("User name", "textbox");
    await keyboard.type("admin");
    await keyboard.press("Tab");
    await keyboard.type(password);
    await keyboard.press("Enter");
    await tab.page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    await reach("Modules", "link");
    await keyboard.press("Enter");
    await tab.page.getByRole("heading", { name: "Modules", level: 1 }).waitFor();
    await reach("enforce decides", "radio");
    await keyboard.press("ArrowUp");
    await keyboard.press("ArrowUp");
    await reach("Apply", "button");
    await keyboard.press("Enter");
    const dialog = tab.page.getByRole("dialog", { name: "Set gate to off?" });
    await dialog.waitFor();
    await keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(await tab.page.locator(":focus").textContent()).toBe("Apply");
  });

  test("100,000 decisions are searched and turned over quickly, a page at a time", async () => {
    await copyDecisions(hs.dir, 100_000);
    const tab = await signedIn();
    const began = performance.now();
    await show(tab, "Decisions");
    const rows = tab.page.getByRole("table", { name: "Decisions" }).getByRole("row");
    await waitFor("a page", async () => (await rows.count()) === 51);
    const shown = performance.now() - began;
    for (const text of ["Page 2", "Page 3"]) {
      await tab.page.getByRole("button", { name: "Older" }).click();
      await tab.page.getByText(text, { exact: true }).waitFor();
      await tab.page.getByText("Loading …").waitFor({ state: "detached" });
    }
    await tab.page.getByRole("button", { name: "Newer" }).click();
    await tab.page.getByText("Page 2", { exact: true }).waitFor();
    const asked = performance.now();
    await tab.page.getByLabel("User", { exact: true }).fill("@user99999:test.localhost");
    await tab.page.getByRole("button", { name: "Search" }).click();
    await waitFor("the one row", async () => (await rows.count()) === 2);
    console.log(
      `100,000 decisions: the first page after ${Math.round(shown)} ms, one user's after ${Math.round(performance.now() - asked)} ms`,
    );
    expect(shown).toBeLessThan(5_000);
    await tab.page.getByRole("button", { name: "Erase all decisions about this user" }).click();
    await tab.page.getByRole("button", { name: "Erase", exact: true }).click();
    await tab.page.getByText("1 decision erased").waitFor();
    await tab.page.getByText("No decision fits").waitFor();
  }, 60_000);

  test("a quarantine is shown, and ends by its button", async () => {
    const mallory = await registerUser(hs, "mallory");
    const { body } = await mallory.createRoom();
    await mallory.say(body.room_id, "crash");
    const tab = await signedIn();
    const quarantines = tab.page.getByRole("region", { name: "Quarantines" });
    await quarantines.getByText("@mallory:test.localhost", { exact: true }).waitFor();
    await quarantines.getByRole("button", { name: /^End/ }).first().click();
    await tab.page.getByRole("button", { name: "End it" }).click();
    await quarantines.getByText("None. A module is not asked").waitFor();
  }, 60_000);

  describe.each([
    [1280, "light"],
    [1280, "dark"],
    [360, "light"],
    [360, "dark"],
    [320, "light"],
  ] as const)("%d pixels wide, %s", (width, colorScheme) => {
    test("each view fits, and has no fault of accessibility", async () => {
      const tab = await open({ width, colorScheme });
      await tab.page.getByRole("button", { name: "Sign in" }).waitFor();
      const look = async (name: string) => {
        const file = `${name.toLowerCase().replace(" ", "-")}-${width}-${colorScheme}.png`;
        await tab.page.screenshot({ path: join(screenshots, file), fullPage: true });
        expect(await tab.page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")).toBe(true);
        if (width !== 320) expect(await accessibilityFaults(tab)).toEqual([]);
      };
      await look("Sign in");
      await signIn(tab, "admin", password);
      for (const view of VIEWS) {
        await show(tab, view);
        await look(view);
      }
    });
  });
});

/** Puts copies of a decision into the database, each about another user. */
async function copyDecisions(dir: string, count: number): Promise<void> {
  const program = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=30)
with db:
    db.execute("""
        INSERT INTO module_bridge_decisions
            (id, kind, last_ts, count, user_id, room_id, event_id, answer, reason, details, really)
        WITH RECURSIVE one(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM one WHERE n < ?)
        SELECT id - n, kind, last_ts, count, '@user' || n || ':test.localhost', room_id, event_id, answer, reason, details, really
        FROM one, (SELECT * FROM module_bridge_decisions ORDER BY id LIMIT 1)
    """, (int(sys.argv[2]),))
`;
  await promisify(execFile)(venvPython(), ["-c", program, join(dir, "hs.db"), String(count)]);
}
