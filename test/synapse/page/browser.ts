// A tab of a real Chromium with the admin's page, in which nothing passes unnoticed: requests, errors, breaches of its policy.
import { expect } from "@jest/globals";
import axe from "axe-core";
import type { Browser, BrowserContext, Page } from "playwright-core";

export const pagePath = "/_synapse/client/module_bridge/";

export interface Look {
  readonly width?: number;
  readonly colorScheme?: "light" | "dark";
}

export interface Tab {
  readonly page: Page;
  readonly context: BrowserContext;
  /** The paths that were asked for since the last call, with their methods. */
  asked(): string[];
  /** Fails where the page has asked another server, has thrown, or has broken its Content-Security-Policy. */
  expectClean(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the page in a browser of its own: nothing is kept from other tabs. */
export async function openTab(browser: Browser, baseUrl: string, look: Look = {}): Promise<Tab> {
  const { width = 1280, colorScheme = "light" } = look;
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
  return tabIn(context, baseUrl);
}

/** Another tab of the same browser. */
export async function tabIn(context: BrowserContext, baseUrl: string): Promise<Tab> {
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const asked: string[] = [];
  const faults: string[] = [];
  page.on("request", (request) => {
    const url = new URL(request.url());
    asked.push(`${request.method()} ${url.pathname}`);
    if (url.origin !== new URL(baseUrl).origin) faults.push(`a request to ${url}`);
  });
  page.on("pageerror", (error) => faults.push(`an error: ${error.message}`));
  page.on("dialog", (dialog) => {
    faults.push(`a script has run: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.exposeFunction("tellViolation", (text: string) => faults.push(text));
  await page.addInitScript(() => {
    const tell = (globalThis as unknown as { tellViolation: (text: string) => void }).tellViolation;
    // biome-ignore lint/suspicious/noExplicitAny: these run in the browser, whose types the tests do not have
    const { document } = globalThis as any;
    document.addEventListener("securitypolicyviolation", (event: Record<string, string>) =>
      tell(`a breach of ${event.violatedDirective}: ${event.blockedURI} ${event.sample}`),
    );
  });
  await page.goto(baseUrl + pagePath);
  return {
    page,
    context,
    asked: () => asked.splice(0),
    expectClean: async () => {
      await page.evaluate("0"); // what the page has told by now has arrived
      expect(faults).toEqual([]);
    },
    close: () => page.close(),
  };
}

export async function signIn({ page }: Tab, user: string, password: string): Promise<void> {
  await page.getByLabel("User name").fill(user);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
}

export async function useToken({ page }: Tab, token: string): Promise<void> {
  await page.getByLabel("Access token of a server admin").fill(token);
  await page.getByRole("button", { name: "Use this token" }).click();
}

export const VIEWS = ["Overview", "Modules", "Decisions", "Shadow reports", "Charts"] as const;

export async function show({ page }: Tab, view: (typeof VIEWS)[number]): Promise<void> {
  await page.getByRole("navigation").getByRole("link", { name: view }).click();
  await page.getByRole("heading", { name: view, level: 1 }).waitFor();
  await page.getByText("Loading …").waitFor({ state: "detached" });
}

/** What axe finds against WCAG 2.2 A and AA: contrast, names, roles. */
export async function accessibilityFaults({ page }: Tab): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate(
    `axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })`,
  )) as axe.AxeResults;
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
  );
}
