// Every link within the repository leads somewhere: to a file that is there, and to a heading that it has.
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "@jest/globals";
import { type Page, proseOf, ROOT, readPages } from "./pages.js";

const pages = readPages();
const byPath = new Map(pages.map((page) => [page.path, page]));

test("there are pages to look at", () => {
  expect(pages.map(({ path }) => path)).toContain("README.md");
  expect(linksOf({ path: "a.md", text: "[a](b.md#c) `[no](link)` <img src='d.svg'>" })).toEqual([
    "b.md#c",
    "d.svg",
  ]);
});

test.each(pages.map(({ path }) => path))("%s has no broken link", (path) => {
  const page = byPath.get(path) as Page;
  expect(linksOf(page).flatMap((link) => faultOf(page, link) ?? [])).toEqual([]);
});

/** Those that do not lead out of the repository. */
function linksOf(page: Page): string[] {
  const prose = proseOf(page).replace(/(`+)(?!`).*?\1/g, "code");
  const inText = [...prose.matchAll(/\]\(([^()\s]+(?:\([^()]*\))?)[^)]*\)/g)];
  const named = [...prose.matchAll(/^ *\[[^\]]+\]: *(\S+)/gm)];
  const inHtml = [...prose.matchAll(/<(?:img|a)\b[^>]*?\b(?:src|href)=["']([^"']+)["']/g)];
  const links = [...inText, ...named, ...inHtml].map(([, link]) => link as string);
  return links.filter((link) => !/^[a-z]+:/.test(link));
}

function faultOf({ path }: Page, link: string): string | undefined {
  const [file = "", anchor] = link.split("#");
  const target = file === "" ? path : normalize(join(dirname(path), decodeURI(file)));
  if (target.startsWith("..")) return `${link}: leads out of the repository`;
  if (!existsSync(join(ROOT, target))) return `${link}: there is no ${target}`;
  const page = byPath.get(target);
  if (anchor === undefined || !page) return undefined;
  const anchors = anchorsOf(page);
  return anchors.has(anchor) ? undefined : `${link}: ${target} has no such heading`;
}

/** As GitHub makes them. */
function anchorsOf(page: Page): ReadonlySet<string> {
  const anchors = new Map<string, number>();
  for (const [, , heading = ""] of proseOf(page).matchAll(/^(#{1,6}) +(.*?) *#*$/gm)) {
    // A tag within code is text.
    const shown = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replace(/`[^`]*`|<[^>]+>/g, (part) => (part.startsWith("`") ? part : ""));
    const slug = shown
      .toLowerCase()
      .replace(/[^\p{Letter}\p{Mark}\p{Number}\p{Connector_Punctuation} -]/gu, "")
      .replaceAll(" ", "-");
    const times = anchors.get(slug) ?? 0;
    anchors.set(slug, times + 1);
    if (times > 0) anchors.set(`${slug}-${times}`, 1);
  }
  return new Set(anchors.keys());
}
