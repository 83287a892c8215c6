/** DbgPrint and company: formatted text goes to the trace as a note. No debugger is attached, so a breakpoint ends the run. */
import { readsString } from "./driver-buffers.ts";
import { formatted, printTo } from "./format.ts";
import type { Kernel } from "./kernel.ts";
import { DriverFault } from "./outcome.ts";
import { leaf, local } from "./routine.ts";
import { readAnsi, readUtf16, utf16Length } from "./strings.ts";

function print(k: Kernel, format: number, args: number): number {
  // Made whether somebody wants to see it or not: what it is made of is checked.
  k.note("print", 0, 0, narrow(k, format, args));
  return 0;
}

function narrow(k: Kernel, format: number, args: number): string {
  readsString(k, format, 1);
  return formatted(k, readAnsi(k.memory, format), args, false);
}

function wide(k: Kernel, format: number, args: number): string {
  readsString(k, format, 2);
  return formatted(k, readUtf16(k.memory, format, utf16Length(k.memory, format)), args, true);
}

function breakpoint(k: Kernel, what: string): never {
  throw new DriverFault("bugcheck", `the driver stopped at a breakpoint of its own (${k.driverOfThread(k.current)})${what}`);
}

export const debugRoutines = [
  leaf("DbgPrint", print),
  leaf("DbgPrintEx", (k, _component, _level, format, args = 0) => print(k, format, args)),
  local("_vsnprintf", (k, buffer, count, format, args = 0) => printTo(k, buffer, count, narrow(k, format, args), 1)),
  local("_vsnwprintf", (k, buffer, count, format, args = 0) => printTo(k, buffer, count, wide(k, format, args), 2)),
  leaf("DbgBreakPoint", (k) => breakpoint(k, "")),
  leaf("DbgBreakPointWithStatus", (k, status) => breakpoint(k, `, with status 0x${status.toString(16)}`)),
  leaf("RtlAssert", (k, expression, file, line) => {
    const text = readAnsi(k.memory, expression, 256);
    throw new DriverFault("bugcheck", `an assertion of the driver failed: ${text} (${readAnsi(k.memory, file, 256)}:${line})`);
  }),
  leaf("KeBugCheck", (k, code) => k.bugCheck(code, [0, 0, 0, 0], "the driver called KeBugCheck")),
  leaf("KeBugCheckEx", (k, code, ...parameters) => k.bugCheck(code, parameters, "the driver called KeBugCheckEx")),
];
