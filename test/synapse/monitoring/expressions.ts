// The PromQL of the alert rules and the dashboard, and what it names.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { projectRoot } from "../../support/paths.js";

const page = (name: string) => readFileSync(join(projectRoot, "docs/admin", name), "utf8");

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
}

export interface Expression {
  readonly of: string;
  readonly promql: string;
  /** The labels that it needs, by name. */
  readonly labels: readonly string[];
  /** Its metrics. */
  readonly metrics: readonly string[];
}

export const rules: readonly Rule[] = parse(page("alerts.yml")).groups[0].rules;

/** The rules as they are, but impatient: they fire at once, and look back for seconds. */
export const impatientRules = page("alerts.yml")
  .replaceAll(/^ +for: .*\n/gm, "")
  .replaceAll("[15m]", "[20s]")
  .replaceAll("[5m]", "[10s]");

const panels: readonly Panel[] = JSON.parse(page("grafana.json")).panels;

/** As Grafana fills in its variables. */
const filledIn = (promql: string) =>
  promql.replaceAll(/\$server_name|\$instance/g, ".+").replaceAll("$__rate_interval", "10s");

export const expressions: readonly Expression[] = [
  ...rules.map(({ alert, expr, annotations }) =>
    expression(`the alert ${alert}`, expr, Object.values(annotations).join("")),
  ),
  ...panels.flatMap(({ title, targets }) =>
    targets.map(({ expr, legendFormat }) => expression(`the panel ${title}`, filledIn(expr), legendFormat)),
  ),
];

function expression(of: string, promql: string, text: string): Expression {
  const metrics = [...promql.matchAll(/synapse_module_bridge_\w+/g)].map(([name]) => name);
  const selected = [...promql.matchAll(/[{,]\s*(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label as string);
  const grouped = [...promql.matchAll(/\b(?:by|on|without) \(([^)]*)\)/g)].flatMap(([, list]) =>
    (list as string).split(/,\s*/),
  );
  const shown = [...text.matchAll(/\{\{\s*(?:\$labels\.)?([a-z]\w*)\s*\}\}/g)].map(
    ([, label]) => label as string,
  );
  return { of, promql, metrics, labels: [...new Set([...selected, ...grouped, ...shown])] };
}
