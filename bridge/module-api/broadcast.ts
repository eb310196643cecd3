// Checks what a module broadcasts before it is sent: the module must be able to receive it.
import { whatJsonLoses } from "../base/json-check.js";
import { didYouMean } from "../base/nearest.js";
import type { MethodAdapter } from "./api-client.js";

export const broadcast: MethodAdapter = (client, path, params) => {
  client.check(path, params);
  const { topic, value } = params as { topic: string; value: unknown };
  if (!client.topics.includes(topic))
    throw new TypeError(
      `api.${path}: the module has no topic ${topic}${didYouMean(topic, client.topics)}: add it to its \`broadcasts\``,
    );
  const problem = whatJsonLoses(value);
  if (problem) throw new TypeError(`api.${path}: value: ${problem}`);
  return client.call(path, params);
};
