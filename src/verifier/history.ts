/** The story of a finding: the entries that led to it, one line each. */
import { ddi, statusName } from "../contract/index.ts";
import type { MachineDriver } from "../machine/machine.ts";
import type { Entry, Kernel } from "../kernel/index.ts";
import type { HistoryEntry } from "../report/report.ts";
import type { RunResult } from "./run.ts";

const LENGTH = 24;
/** Calls that every driver makes all the time: left out of a story. */
const SMALL =
  /^(?:Interlocked|NdisInterlocked|Rtl|Ke(?:Acquire|Release|Initialize|Get)|Ndis(?:Acquire|Release|Dpr|Allocate(?:Spin|Memory)|Free(?:Spin|Memory)|Initialize)|DbgPrint)/;

/** The entries before `until`, oldest first; what the stock counterparts do among themselves is left out. */
export function historyOf({ entries, machine }: RunResult, until: number, stack: readonly MachineDriver[]): HistoryEntry[] {
  const stock = new Set(stack.filter(({ isStock }) => isStock).map(({ slot }) => slot));
  const story: HistoryEntry[] = [];
  for (let step = Math.min(until, entries.length) - 1; step >= 0 && story.length < LENGTH; step -= 1) {
    const recorded = entries[step];
    if (recorded === undefined || !isTold(recorded.entry) || isOfStock(machine.kernel, recorded.entry, stock)) continue;
    const { entry, location } = recorded;
    const place =
      location === undefined ? {} : { location: { file: location.file, line: location.line, function: location.function } };
    story.push({ step, thread: entry.thread, text: textOf(machine.kernel, entry), ...place });
  }
  return story.reverse();
}

/** A counterpart's own calls, and calls of its handlers. */
function isOfStock(k: Kernel, entry: Entry, stock: ReadonlySet<number>): boolean {
  if (entry.kind === "call" || entry.kind === "return") return stock.has(entry.driver) && !COMPLETIONS.test(entry.name);
  return (entry.kind === "handler" || entry.kind === "handler return") && stock.has(k.driverOf(entry.target));
}

function isTold(entry: Entry): boolean {
  switch (entry.kind) {
    case "call":
      return !SMALL.test(entry.name);
    case "return":
      // A routine without a result has nothing to tell at its return.
      return !SMALL.test(entry.name) && ddi(entry.name)?.returnType !== "void";
    case "handler":
    case "handler return":
    case "state":
    case "switch":
      return true;
    default:
      return false;
  }
}

/** A counterpart's calls that the driver under test feels. */
const COMPLETIONS = /Complete|Indicate/;

const VOID_HANDLERS =
  /(?:Complete|CompleteEx|NetBufferLists|StatusEx|HaltEx|Unload|CancelSend|CancelOidRequest|Routine|Callback|WorkItem)$/;

/** A result, by its name where it is a status of a routine that returns one. */
function resultText(name: string, result: number): string {
  const type = ddi(name)?.returnType ?? "";
  const isStatus = /STATUS/.test(type) || /^(?:Protocol|Miniport|DriverEntry)/.test(name);
  return (isStatus ? statusName(result) : undefined) ?? hex(result);
}

const hex = (value: number): string => (value < 10 ? String(value) : `0x${value.toString(16)}`);

/** One line for an entry. */
export function textOf(k: Kernel, entry: Entry): string {
  switch (entry.kind) {
    case "call":
      return `${entry.name}(${entry.args.map(hex).join(", ")})`;
    case "return":
      return `${entry.name} returns ${resultText(entry.name, entry.result)}`;
    case "handler":
      return `NDIS calls ${entry.name} = ${k.nameOf(entry.target)}(${entry.args.map(hex).join(", ")})`;
    case "handler return":
      return VOID_HANDLERS.test(entry.name)
        ? `${entry.name} returns`
        : `${entry.name} returns ${resultText(entry.name, entry.result)}`;
    case "step":
      return `${entry.plan}: ${entry.sentence}`;
    case "state":
      return entry.object === "port"
        ? `port ${entry.address}: ${entry.from} -> ${entry.to}`
        : `${entry.object}: ${entry.from} -> ${entry.to}`;
    case "lock":
      return `${entry.action} the spin lock at ${hex(entry.lock)}`;
    case "choice":
      return `choice: ${entry.what}: ${entry.picked} of ${entry.count}`;
    case "switch":
      return `thread ${entry.to} goes on`;
    case "note":
      return `${entry.what} ${hex(entry.address)} ${entry.text}`.trim();
    case "end":
      return entry.what;
    default:
      return entry satisfies never;
  }
}
