/** DbgPrint and company: formatted text goes to the trace as a note. No debugger is attached, so a breakpoint ends the run. */
import { formatted, printTo } from "./format.ts";
import type { Kernel } from "./kernel.ts";
import { DriverFault } from "./outcome.ts";
import { leaf, local } from "./routine.ts";
import { readAnsi, readUtf16, utf16Length } from "./strings.ts";

function print(k: Kernel, format: number, args: number): number {
  k.emit("note", "print", () => ({
    kind: "note",
    what: "print",
    address: 0,
    value: 0,
    text: formatted(k.memory, readAnsi(k.memory, format), args, false),
  }));
  return 0;
}

function breakpoint(k: Kernel, what: string): never {
  throw new DriverFault("bugcheck", `the driver stopped at a breakpoint of its own (${k.driverOfThread(k.current)})${what}`);
}

export const debugRoutines = [
  leaf("DbgPrint", print),
  leaf("DbgPrintEx", (k, _component, _level, format, args = 0) => print(k, format, args)),
  local("_vsnprintf", (k, buffer, count, format, args = 0) =>
    printTo(k.memory, buffer, count, formatted(k.memory, readAnsi(k.memory, format), args, false), 1),
  ),
  local("_vsnwprintf", (k, buffer, count, format, args = 0) => {
    const text = readUtf16(k.memory, format, utf16Length(k.memory, format));
    return printTo(k.memory, buffer, count, formatted(k.memory, text, args, true), 2);
  }),
  leaf("DbgBreakPoint", (k) => breakpoint(k, "")),
  leaf("DbgBreakPointWithStatus", (k, status) => breakpoint(k, `, with status 0x${status.toString(16)}`)),
  leaf("RtlAssert", (k, expression, file, line) => {
    const text = readAnsi(k.memory, expression, 256);
    throw new DriverFault("bugcheck", `an assertion of the driver failed: ${text} (${readAnsi(k.memory, file, 256)}:${line})`);
  }),
  leaf("KeBugCheck", (k, code) => k.bugCheck(code, [0, 0, 0, 0], "the driver called KeBugCheck")),
  leaf("KeBugCheckEx", (k, code, ...parameters) => k.bugCheck(code, parameters, "the driver called KeBugCheckEx")),
];
