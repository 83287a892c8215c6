/** `ndislab explain NAME`: what is known of a rule, a routine, a status, an OID, a bug check or an object. */
import { UsageError } from "./errors.ts";
import { explain, suggestions } from "./explain/explain.ts";
import { type ExitCode, type World, colorsOf, toolName, widthOf } from "./world.ts";

export async function explainName(name: string, world: World): Promise<ExitCode> {
  const knowledge = await world.knowledge();
  const lines = explain(name.trim(), knowledge, { colors: colorsOf(world.out, world), width: widthOf(world.out) });
  if (lines.length > 0) {
    world.out.write(`${lines.join("\n")}\n`);
    return 0;
  }
  const near = suggestions(name.trim(), knowledge);
  const kinds =
    "A rule, a routine, a handler, a structure, a status, an OID, a bug-check code or an object (binding, port, ...) was expected";
  const remedy =
    near.length === 0 ? `${kinds}; '${toolName(world)} list rules' names the rules.` : `Did you mean ${near.join(", ")}?`;
  throw new UsageError(`nothing is known of '${name}'. ${remedy}`);
}
