/** What a driver calls of Windows, and what of it is not there yet. */
import type { DriverImage } from "../cdriver/image.ts";
import { Builder } from "../machine/build.ts";
import { routines } from "../machine/machine.ts";
import type { DriverKind, Location } from "../report/report.ts";
import type { CheckRequest } from "./check.ts";
import { locationOf } from "./runs.ts";
import { buildTargets, kindOf } from "./targets.ts";

export const implemented: ReadonlySet<string> = new Set(routines.map(({ name }) => name));

export interface Imports {
  /** Names of routines that are there. */
  readonly used: readonly string[];
  readonly missing: readonly { readonly name: string; readonly location?: Location }[];
}

export function importsOf(image: DriverImage): Imports {
  const own = image.imports.map(({ name }) => name).filter((name) => !name.startsWith("__"));
  return {
    used: own.filter((name) => implemented.has(name)),
    missing: own
      .filter((name) => !implemented.has(name))
      .map((name) => {
        const location = locationOf(image.importSites(name)[0]);
        return location === undefined ? { name } : { name, location };
      }),
  };
}

/** Builds the driver that the request names, and nothing else. Throws InputError and CompileError for what the user can put right. */
export async function importsOfTargets(
  request: CheckRequest,
  progress: (line: string) => void,
): Promise<Imports & { readonly name: string; readonly kind: DriverKind }> {
  const builder = new Builder(request.cacheFolder);
  try {
    const [driver] = await buildTargets(builder, { ...request, with: [] }, progress);
    const imports = driver?.kind === "c" ? importsOf(driver.image) : { used: [], missing: [] };
    return { name: driver?.name ?? "", kind: kindOf(driver), ...imports };
  } finally {
    builder.stop();
  }
}
