/** The public drivers that are tried: where they are in their repositories, and what is done with them. Nothing of theirs is here. */
import type { Scenario } from "../machine/actions.ts";
import type { DriverKind } from "../report/report.ts";
import { fnmpScenarios } from "./fnmp.ts";
import { ndisprotScenarios } from "./ndisprot.ts";
import { netvminiReasons, netvminiScenarios } from "./netvmini.ts";

export interface RealDriver {
  readonly name: string;
  /** The end of the repository's name. */
  readonly repository: string;
  readonly project: string;
  readonly configuration: string;
  readonly kind: DriverKind;
  /** Headers of other repositories. */
  readonly includes?: readonly { readonly repository: string; readonly path: string }[];
  readonly scenarios: readonly Scenario[];
  /** Why a function is never entered, by its name. */
  readonly reasons: Readonly<Record<string, string>>;
}

const CONFIGURATIONS = ["Debug", "Release"] as const;
const NDIS_SAMPLES = "network/ndis";

const ndisprot = (version: string): RealDriver[] =>
  CONFIGURATIONS.map((configuration) => ({
    name: `ndisprot${version} ${configuration}`,
    repository: "Windows-driver-samples",
    project: `${NDIS_SAMPLES}/ndisprot/6x/sys/${version}/ndisprot${version}.vcxproj`,
    configuration,
    kind: "protocol",
    scenarios: ndisprotScenarios,
    reasons: {},
  }));

const netvmini = (version: keyof typeof netvminiScenarios): RealDriver[] =>
  CONFIGURATIONS.map((configuration) => ({
    name: `netvmini${version} ${configuration}`,
    repository: "Windows-driver-samples",
    project: `${NDIS_SAMPLES}/netvmini/6x/${version}/netvmini${version}.vcxproj`,
    configuration,
    kind: "miniport",
    scenarios: netvminiScenarios[version],
    reasons: netvminiReasons,
  }));

const fnmp: readonly RealDriver[] = CONFIGURATIONS.map((configuration) => ({
  name: `fnmp ${configuration}`,
  repository: "win-net-test",
  project: "src/mp/sys/fnmp.vcxproj",
  configuration,
  kind: "miniport",
  includes: [{ repository: "ndis-driver-library", path: "src/include" }],
  scenarios: fnmpScenarios,
  reasons: {},
}));

export const realDrivers: readonly RealDriver[] = [
  ...ndisprot("60"),
  ...ndisprot("630"),
  ...netvmini("60"),
  ...netvmini("630"),
  ...netvmini("680"),
  ...fnmp,
];
