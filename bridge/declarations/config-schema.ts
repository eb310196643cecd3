// Compiles a module's configSchema, and reports what is wrong with it.

import { Ajv, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import { findSchemaProblems, findUnknownFormats } from "./schema-problems.js";

const OPTIONS = {
  allErrors: true,
  verbose: true,
  useDefaults: true,
  allowUnionTypes: true,
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
};

function newAjv(): Ajv {
  const ajv = new Ajv(OPTIONS);
  addFormats.default(ajv);
  return ajv;
}

/** Compiles a module's configSchema. Returns undefined after reporting problems. */
export function compileSchema(
  schema: object,
  report: (message: string) => void,
): ValidateFunction | undefined {
  let sound = true;
  const reportProblem = (message: string) => {
    sound = false;
    report(message);
  };
  try {
    const ajv = newAjv();
    findUnknownFormats(schema, Object.keys(ajv.formats), reportProblem);
    if (!sound) return undefined;
    const validate = ajv.compile(schema);
    findSchemaProblems(schema, newAjv(), reportProblem);
    return sound ? validate : undefined;
  } catch (error) {
    report(`configSchema is not a JSON Schema of draft-07: ${(error as Error).message}`);
    return undefined;
  }
}
