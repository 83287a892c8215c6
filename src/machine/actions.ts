/**
 * Scenarios as data: what is done to the drivers. Each action names drivers by role: the drivers under test and their counterparts.
 */
import type { RegistryData } from "../kernel/registry/data.ts";
import type { ApplicationAction, ApplicationAnswer } from "./application-actions.ts";
import type { AdapterEvent, Announcement, DeviceEvent } from "../ndis/index.ts";
import type { OidAction } from "./oid-actions.ts";

export type Action =
  /** Calls DriverEntry; the run fails if it refuses and `mayFail` is not set. `again`: only if the driver is not loaded. */
  | { readonly do: "load"; readonly driver: number; readonly mayFail?: boolean; readonly again?: boolean }
  | { readonly do: "unload"; readonly driver: number }
  /** Makes an adapter of the driver and starts its stack. `again`: only if it is not there. */
  | {
      readonly do: "start adapter";
      readonly driver: number;
      readonly adapter: number;
      readonly mayFail?: boolean;
      readonly again?: boolean;
    }
  /** The device is disabled, removed by surprise, or stopped, as when its resources are assigned anew. */
  | { readonly do: "stop adapter"; readonly adapter: number; readonly bySurprise?: boolean; readonly isStopped?: boolean }
  | { readonly do: "pause"; readonly adapter: number }
  | { readonly do: "restart"; readonly adapter: number }
  /** NDIS has the adapter reset. */
  | { readonly do: "reset"; readonly adapter: number }
  /** NDIS takes the adapter and its stack to sleep, or wakes them. */
  | { readonly do: "power"; readonly adapter: number; readonly state: "D0" | "D1" | "D2" | "D3" }
  /** The system shuts down: the last action of a scenario. */
  | { readonly do: "shut down" }
  /** The system stops with an error that is nobody's here, at a level at which hardly anything may be called: the last action too. */
  | { readonly do: "bug check" }
  /** The device of the adapter interrupts once, on every line that the miniport has registered. */
  | { readonly do: "interrupt"; readonly adapter: number }
  /** The miniport is told of an event of its device; nothing else is done about it. */
  | { readonly do: "device event"; readonly adapter: number; readonly event: DeviceEvent }
  /** Binds the protocols that are not bound. */
  | { readonly do: "bind"; readonly adapter: number }
  /** Unbinds the binding of the driver from the adapter. */
  | { readonly do: "unbind"; readonly adapter: number; readonly driver: number }
  /** Tells the bound protocols of an event that none of them knows. */
  | { readonly do: "unknown event"; readonly adapter: number }
  /** Tells every protocol that its bind list has changed; `form` other than "well-formed": with a list that it has to find wrong. */
  | { readonly do: "announce bind list"; readonly form?: Announcement }
  /** Tells the protocols of an adapter of an event; nothing else is done about it. */
  | { readonly do: "adapter event"; readonly adapter: number; readonly event: AdapterEvent }
  /** Tells every protocol that its configuration has changed, with data that it does not know. */
  | { readonly do: "reconfigure" }
  /** The user uninstalls the protocol: it is unbound everywhere and cleans up; it is to be unloaded next. */
  | { readonly do: "uninstall"; readonly driver: number }
  /** Calls a function that a counterpart, or a TypeScript scenario's own driver, exports; with `result`, it has to return that. */
  | {
      readonly do: "call";
      readonly driver: number;
      readonly function: string;
      readonly args?: readonly number[];
      readonly result?: number;
    }
  /** Has the counterpart protocol send an OID request; the result is its status. */
  | OidAction
  /** Does these on a thread of their own, while the scenario goes on. */
  | { readonly do: "in parallel"; readonly actions: readonly Action[] }
  /** Does these so many times, one after the other. */
  | { readonly do: "repeat"; readonly times: number; readonly actions: readonly Action[] }
  /** Lets the other threads run for so long. */
  | { readonly do: "wait"; readonly milliseconds: number }
  /** Waits until only the scenario's thread is left. */
  | { readonly do: "settle" }
  | ApplicationAction;

export interface Scenario {
  readonly name: string;
  /** What it shows, for `list scenarios`. */
  readonly summary: string;
  readonly actions: readonly Action[] | ScenarioScript;
  /**
   * The failures that it goes on after, and is also run with: those of opening and unbinding, or, one in each run, every call that may find no
   * resources. Left out: none.
   */
  readonly failures?: "common" | "each";
  /** Resources never run out in it: for drivers that are not made to find none. */
  readonly isAmple?: boolean;
  /** Registry keywords of the adapters, by the adapter's index. */
  readonly registry?: RegistryValues;
  /** Values of the drivers' own Parameters keys, by the driver's slot. */
  readonly services?: RegistryValues;
  /** Default: 2. */
  readonly processors?: number;
}

/** By number, then by name. A name may have subkeys before it, as in "Subkey\\Name". */
export type RegistryValues = Readonly<Record<number, Readonly<Record<string, RegistryData>>>>;

/**
 * A scenario that decides as it goes: each action that it yields is done, and `yield` gives what a called function returned. It is made anew
 * for each run and replayed from the start, never copied.
 */
export type ScenarioScript = (tools: ScenarioTools) => Generator<Action, void, number>;

/** Declares a scenario of one's own; a scenario file exports one as its default. The driver under test is 0, its counterpart comes last. */
export function defineScenario(name: string, actions: Scenario["actions"], summary = ""): Scenario {
  return { name, summary, actions };
}

export interface ScenarioTools {
  /** What must be true; if not, the run ends with a violation of rule scenario-assert. */
  assert(condition: boolean, message: string): void;
  /** How the last call of an application, or the last OID request, ended. */
  answer(): ApplicationAnswer;
}
