// Reads the file of `--api`: what methods of the api answer in place of Synapse. Each call of a method gets the same answer.
import path from "node:path";
import { isObject } from "../base/is-object.js";
import { didYouMean } from "../base/nearest.js";
import { readText } from "../base/text-files.js";
import { parseYaml } from "../base/yaml.js";
import type { Catalogue } from "../catalogue/catalogue.js";

type Answers = Record<string, unknown>;

/** The answers by method, such as `http_client.get_json`. Throws an Error that names the file. */
export function readAnswers(file: string, { methods, properties }: Catalogue): Answers {
  const read = readYaml(file);
  if (!isObject(read))
    throw new Error(`${file} must hold an object: what calls of the api answer, by method`);
  for (const name of Object.keys(read))
    if (!properties.has(name) && !methods.has(name))
      throw new Error(`${file}: the api has no ${name}${didYouMean(name, methods.keys())}`);
  return read;
}

/** The answers as the authors' kit takes them: properties, and functions in groups. */
export function forKit(answers: Answers, { properties }: Catalogue): Answers {
  const api: Answers = {};
  for (const [name, answer] of Object.entries(answers)) {
    const [first = "", second] = name.split(".");
    if (properties.has(name)) api[name] = answer;
    else if (second === undefined) api[name] = () => answer;
    else api[first] = { ...(api[first] as object | undefined), [second]: () => answer };
  }
  return api;
}

/** Reads YAML or JSON. Throws an Error that names the file. */
export function readYaml(file: string): unknown {
  const text = readText(path.resolve(file));
  try {
    return parseYaml(text);
  } catch (error) {
    throw new Error(`${file} ${(error as Error).message}`, { cause: error });
  }
}
