/** `ndislab list ddis --missing-for TARGET`: the routines that a driver calls and that are not there yet, with the place of the first call. */
import { plural } from "../report/index.ts";
import { type CheckOptions, requestOf } from "./check-command.ts";
import { progressOn } from "./progress.ts";
import { type ExitCode, type World, colorsOf, shownPath } from "./world.ts";

export async function listMissing(targets: readonly string[], options: CheckOptions, world: World): Promise<ExitCode> {
  const importsOfTargets = await world.importsOfTargets();
  const progress = progressOn(world.err, options.quiet);
  const { name, kind, used, missing } = await importsOfTargets(requestOf(targets, options, world), progress.show).finally(
    progress.clear,
  );
  const colors = colorsOf(world.out, world);
  const width = Math.max(0, ...missing.map((each) => each.name.length));
  const lines = missing
    .toSorted((a, b) => a.name.localeCompare(b.name))
    .map(({ name: routine, location }) => {
      const place = location === undefined ? "" : `called at ${shownPath(location.file, world)}:${location.line}`;
      return `${routine.padEnd(width)}  ${colors.dim(place)}`.trimEnd();
    });
  const total = used.length + missing.length;
  const summary = missing.length === 0 ? "all are there" : `${missing.length} are missing`;
  world.out.write(`${[...lines, `${name} (${kind}) calls ${plural(total, "routine")} of Windows; ${summary}`].join("\n")}\n`);
  return 0;
}
