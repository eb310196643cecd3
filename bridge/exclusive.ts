// Finds what several modules declare though Synapse takes it from one, and parts of modules that Synapse takes only with
// another.
import type { Fault, LoadedModule, ModuleSettings } from "./module.js";

const CONTROL = ["on_update", "default_batch_size", "min_batch_size"] as const;

/** Shadow modules change nothing, so that they take nothing from another. */
export function findExclusive(modules: LoadedModule[], settings: ModuleSettings[], faults: Fault[]): void {
  const fault = (index: number, message: string) =>
    faults.push({ path: ["modules", index, "path"], message });
  let controller: string | undefined;
  const fieldsOf = new Map<string, { owner: string; fields: string }>();
  for (const { name, index, callbacks } of modules) {
    const [control] = CONTROL.filter((callback) => callbacks.has(callback));
    if (control && !callbacks.has("on_update"))
      fault(index, `${name} has ${control} without on_update, which Synapse needs beside it`);
    if (settings[index]?.shadow) continue;
    if (control && controller !== undefined)
      fault(
        index,
        `${name} has ${control}, but ${controller} controls background updates: Synapse takes one controller`,
      );
    if (control) controller ??= name;
    for (const { login_type, fields } of callbacks.get("auth_checkers")?.checkers ?? []) {
      const wanted = fields.join(", ");
      const known = fieldsOf.get(login_type) ?? { owner: name, fields: wanted };
      fieldsOf.set(login_type, known);
      if (known.fields !== wanted)
        fault(
          index,
          `${name} checks ${login_type} by [${wanted}], but ${known.owner} by [${known.fields}]: Synapse asks for one set of fields`,
        );
    }
  }
}
