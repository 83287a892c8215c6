/** What simulated applications do, as data; applications.ts carries it out. */
import type { Data } from "./user-data.ts";

export interface Expecting {
  /** Name of the status that the call has to end with; anything else ends the run with a violation of scenario-assert. */
  readonly expect?: string;
  /** What the output has to begin with. */
  readonly expectOutput?: readonly number[];
}
export interface Requesting extends Expecting {
  readonly file: string;
  /** Its buffers begin at odd addresses. */
  readonly isMisaligned?: boolean;
  /** A name under which the request is awaited or cancelled later; without one, the call waits for its end. */
  readonly request?: string;
}

export type ApplicationAction =
  /**
   * Opens a device, by a name that an application knows (`\\.\NAME`), by its own, or the first one for applications of a driver. If that
   * driver has none, every call on the file ends with STATUS_INVALID_HANDLE.
   */
  | ({
      readonly do: "open";
      /** The scenario's name for the handle. */
      readonly file: string;
      readonly device: string | { readonly ofDriver: number };
      /** Which process, from 1. */
      readonly process?: number;
      readonly access?: "read" | "write" | "read and write" | "none";
      /** Calls may return while their request is pending. */
      readonly overlapped?: boolean;
      readonly options?: number;
      /** An extended attribute for the driver. */
      readonly attribute?: { readonly name: string; readonly value: Data };
    } & Expecting)
  | ({
      readonly do: "control";
      /** IOCTL code. */
      readonly code: number;
      readonly input?: Data;
      readonly outputBytes?: number;
    } & Requesting)
  | ({ readonly do: "read"; readonly bytes: number } & Requesting)
  | ({ readonly do: "write"; readonly data: Data } & Requesting)
  /** Asks for the request to be cancelled; STATUS_NOT_FOUND if it is complete already, whether or not its driver heeds it otherwise. */
  | ({ readonly do: "cancel"; readonly request: string } & Expecting)
  /** Waits until the request is complete. */
  | ({ readonly do: "await"; readonly request: string } & Expecting)
  | ({ readonly do: "close"; readonly file: string } & Expecting)
  /** Makes an event and a handle of that name, for drivers that take one. */
  | { readonly do: "create event"; readonly event: string; readonly process?: number }
  /** The process ends: its requests are cancelled and its handles closed. */
  | { readonly do: "exit"; readonly process?: number };

/** How a call of an application ended. */
export interface ApplicationAnswer {
  readonly status: number;
  /** IoStatus.Information. */
  readonly information: number;
  /** What the driver put into the output buffer. */
  readonly output: Uint8Array;
}

const ACTIONS: ReadonlySet<string> = new Set<ApplicationAction["do"]>([
  "open",
  "control",
  "read",
  "write",
  "cancel",
  "await",
  "close",
  "create event",
  "exit",
]);

export const isApplicationAction = (action: { readonly do: string }): action is ApplicationAction => ACTIONS.has(action.do);
