/** The unbind measure: senders against the unbind of a protocol, over NDIS with all rules, and the same counting on the bare kernel. */
import { fileURLToPath } from "node:url";
import { type Points, allCalls } from "../explorer/points.ts";
import { Search, type SearchCounts } from "../explorer/search.ts";
import { TransitionSystem } from "../explorer/transition-system.ts";
import type { Action, Scenario } from "../machine/actions.ts";
import type { Builder } from "../machine/build.ts";
import type { MachineDriver } from "../machine/machine.ts";

const folder = fileURLToPath(new URL("../../bench/unbind", import.meta.url));

export interface UnbindModel {
  readonly drivers: readonly MachineDriver[];
  readonly scenario: Scenario;
}

const sender: Action = { do: "in parallel", actions: [{ do: "call", driver: 0, function: "Exercise" }] };
const senders = (count: number): Action[] => Array.from({ length: count }, () => sender);

/** So many senders of so many packets each. */
export async function overNdis(builder: Builder, count: number, packets: number): Promise<UnbindModel> {
  const protocol = await builder.c([`${folder}/protocol.c`], 0, { defines: [`PACKETS=${packets}`] });
  const miniport = await builder.c([`${folder}/miniport.c`], 1, {});
  const actions: Action[] = [
    { do: "load", driver: 1 },
    { do: "load", driver: 0 },
    { do: "start adapter", driver: 1, adapter: 0 },
    { do: "settle" },
    ...senders(count),
    { do: "unbind", adapter: 0, driver: 0 },
    { do: "settle" },
    { do: "stop adapter", adapter: 0 },
    { do: "unload", driver: 0 },
    { do: "unload", driver: 1 },
    { do: "settle" },
  ];
  return { drivers: [protocol, { ...miniport, isStock: true }], scenario: { name: "unbind", summary: "", actions } };
}

export async function onBareKernel(builder: Builder, count: number, packets: number): Promise<UnbindModel> {
  const driver = await builder.c([`${folder}/kernel.c`], 0, { defines: [`PACKETS=${packets}`] });
  const actions: Action[] = [
    { do: "load", driver: 0 },
    ...senders(count),
    { do: "call", driver: 0, function: "UnbindItself", result: 0 },
    { do: "settle" },
    { do: "unload", driver: 0 },
  ];
  return { drivers: [driver], scenario: { name: "unbind without NDIS", summary: "", actions } };
}

export interface Searched extends SearchCounts {
  /** All schedules, with nothing failing and every answer at once. */
  readonly isComplete: boolean;
  readonly seconds: number;
  /** Rules that were broken. */
  readonly broken: readonly string[];
}

/** Unreduced: threads are switched before every call, and no states are merged. */
export function searchUnbind({ drivers, scenario }: UnbindModel, seconds: number, isReduced: boolean): Searched {
  const points: { points?: Points } = isReduced ? {} : { points: allCalls };
  const system = new TransitionSystem({ drivers, scenario, timePasses: false, ...points });
  const begun = performance.now();
  const end = begun + seconds * 1000;
  const broken = new Set<string>();
  const search = new Search(system, {
    onFailure: ({ transition }) => {
      for (const { rule } of transition.findings) broken.add(rule);
    },
    mustStop: () => performance.now() >= end,
    merges: isReduced,
  });
  const isComplete = search.run({ preemptions: Number.POSITIVE_INFINITY, faults: 0 });
  return { ...search.counts, isComplete, seconds: (performance.now() - begun) / 1000, broken: [...broken] };
}
