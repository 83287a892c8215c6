/** OID requests that a scenario has the counterpart protocol send, as steps of its plan. */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { RunFailed } from "../kernel/outcome.ts";
import { type PlanStep, call, done, plan, run, step } from "../kernel/plan.ts";
import { allocate, free } from "../kernel/pool.ts";
import { struct, u32 } from "../kernel/struct.ts";
import type { Expecting } from "./application-actions.ts";
import type { Hear } from "./applications.ts";
import { judge } from "./expectations.ts";
import { type Data, place } from "./user-data.ts";

export type OidAction = {
  readonly do: "request";
  /** Slot of the counterpart protocol. */
  readonly driver: number;
  /** Which of its bindings, from 0. */
  readonly binding?: number;
  readonly type: "query" | "set" | "method" | "statistics";
  /** Default: it waits for its turn. A synchronous request is made at DISPATCH_LEVEL. */
  readonly way?: "queued" | "direct" | "synchronous";
  readonly oid: number;
  readonly input?: Data;
  readonly outputBytes?: number;
} & Expecting;

const TYPES = {
  query: "NdisRequestQueryInformation",
  set: "NdisRequestSetInformation",
  method: "NdisRequestMethod",
  statistics: "NdisRequestQueryStatistics",
} as const;
/** As the counterpart numbers them. */
const WAYS = { queued: 0, direct: 1, synchronous: 2 } as const;
const TAG = 0x6469_6f53;

/** The status, as the result of the action's steps. */
const answer = plan("an OID request has its answer", struct("OidAnswer", { status: u32 }), [
  step("the answer", (_k, p) => done(p.status)),
]);
export const oidActionPlans = [answer];

export function oidSteps(
  action: OidAction,
  addressOf: (driver: number, name: string) => number | undefined,
  hear: Hear,
): PlanStep<{ request: number }>[] {
  const { driver, binding = 0, type, way = "queued", oid, input = [], outputBytes = 0 } = action;
  const what = `OID 0x${oid.toString(16)} (${type})`;
  return [
    step(`${what} is sent`, (k, p) => {
      const target = addressOf(driver, "SubmitRequest");
      if (target === undefined)
        throw new RunFailed("the scenario sends an OID request by a driver that is no counterpart protocol");
      const { address, bytes } = buffer(k, input, outputBytes);
      p.request = address;
      return call(target, "ScenarioFunction", [binding, WAYS[way], constant(TYPES[type]), oid, address, bytes, outputBytes]);
    }),
    step("the protocol goes on", (k, p, status) => {
      const output = k.memory.u8.slice(p.request, p.request + outputBytes);
      free(k, p.request);
      hear({ status, information: 0, output });
      judge(what, action, status, output);
      return run(answer, [status]);
    }),
  ];
}

/** One buffer for input and output, as a method request has it. */
function buffer(k: Kernel, input: Data, outputBytes: number): { address: number; bytes: number } {
  const { address: data, bytes } = place(k, input, (size) => allocate(k, size, TAG, -1));
  const address = allocate(k, Math.max(bytes, outputBytes, 1), TAG, -1);
  if (data !== 0) {
    k.memory.copy(address, data, bytes);
    free(k, data);
  }
  return { address, bytes };
}
