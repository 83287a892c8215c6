/** What is done to a driver of the corpus, by the header that it is made of. */
import type { Action } from "../../src/machine/actions.ts";

const kinds = ["driver", "device", "protocol", "miniport"] as const;
export type Surroundings = (typeof kinds)[number];
export const isSurroundings = (name: string | undefined): name is Surroundings => kinds.some((kind) => kind === name);

const DRIVER = 0;
const COUNTERPART = 1;
const load = (driver: number): Action => ({ do: "load", driver });
const unload = (driver: number): Action => ({ do: "unload", driver });
const settle: Action = { do: "settle" };
const stop: Action = { do: "stop adapter", adapter: 0 };
/** Whatever was set to run after a while runs. */
const later: readonly Action[] = [{ do: "wait", milliseconds: 200 }, settle];
const call = (driver: number, name: string, ...args: number[]): Action => ({ do: "call", driver, function: name, args });

export function counterpartOf(kind: Surroundings): "miniport" | "protocol" | undefined {
  if (kind === "protocol") return "miniport";
  return kind === "miniport" ? "protocol" : undefined;
}

/** Sixteen bytes: a count that overflows when it is multiplied by 4, one that is too large for them, one that fits, and one that is negative. */
const INPUT = [{ u32: 0x4000_0001 }, { u32: 100 }, { u32: 2 }, { u32: 0xffff_fff0 }];
const control = (method: number): Action => ({
  do: "control",
  file: "f",
  code: (0x22 << 16) | (0x800 << 2) | method,
  input: INPUT,
  outputBytes: 16,
});

/** An OID of the miniport's own. */
const request = (type: "query" | "set"): Action => ({
  do: "request",
  driver: COUNTERPART,
  type,
  oid: 0xff01_0001,
  ...(type === "set" ? { input: INPUT } : { outputBytes: 16 }),
});

export function actionsFor(kind: Surroundings, name: string): Action[] {
  switch (kind) {
    case "driver":
      return [load(DRIVER), call(DRIVER, name), settle, unload(DRIVER)];
    case "device":
      return [
        load(DRIVER),
        call(DRIVER, name),
        { do: "open", file: "f", device: { ofDriver: DRIVER } },
        ...[0, 1, 2, 3].map(control),
        { do: "close", file: "f" },
        settle,
        unload(DRIVER),
      ];
    case "protocol":
      return [
        load(COUNTERPART),
        load(DRIVER),
        { do: "start adapter", driver: COUNTERPART, adapter: 0 },
        settle,
        call(DRIVER, name),
        settle,
        call(COUNTERPART, "Inject", 1),
        settle,
        stop,
        ...later,
        unload(DRIVER),
        unload(COUNTERPART),
      ];
    case "miniport":
      return [
        load(COUNTERPART),
        load(DRIVER),
        { do: "start adapter", driver: DRIVER, adapter: 0 },
        settle,
        call(DRIVER, name),
        settle,
        call(COUNTERPART, "Send", 1),
        request("query"),
        request("set"),
        settle,
        stop,
        ...later,
        unload(DRIVER),
        unload(COUNTERPART),
      ];
    default:
      return kind satisfies never;
  }
}
