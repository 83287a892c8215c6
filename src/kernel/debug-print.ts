/** DbgPrint and company: formatted text goes to the trace as a note. */
import type { Kernel } from "./kernel.ts";
import { DriverFault } from "./outcome.ts";
import { leaf } from "./routine.ts";
import { readAnsi, readUnicodeString, readUtf16, utf16Length } from "./strings.ts";

/** The text of a printf format over a wasm32 argument area: each argument in 4 bytes, 64-bit ones aligned to 8. */
export function format(k: Kernel, formatAddress: number, args: number): string {
  const { memory } = k;
  let at = args;
  const next = (): number => {
    const value = memory.readU32(at);
    at += 4;
    return value;
  };
  const text = (address: number, isWide: boolean): string => {
    if (!memory.isAddress(address)) return "(null)";
    return isWide ? readUtf16(memory, address, utf16Length(memory, address, 512)) : readAnsi(memory, address, 512);
  };
  return readAnsi(memory, formatAddress).replace(
    /%([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+))?(hh|h|ll|I64|I32|I|l|w|z)?([a-zA-Z%])/g,
    (
      _all,
      flags: string,
      widthText: string | undefined,
      precision: string | undefined,
      size: string | undefined,
      kind: string,
    ) => {
      if (kind === "%") return "%";
      const width = widthText === "*" ? next() : Number(widthText ?? 0);
      if (precision === "*") next();
      const pad = (value: string): string =>
        flags.includes("-") ? value.padEnd(width) : value.padStart(width, flags.includes("0") ? "0" : " ");
      if (size === "ll" || size === "I64") {
        at = Math.ceil(at / 8) * 8;
        const value = BigInt.asIntN(64, (BigInt(memory.readU32(at + 4)) << 32n) | BigInt(memory.readU32(at)));
        at += 8;
        return pad(/[xX]/.test(kind) ? BigInt.asUintN(64, value).toString(16) : value.toString());
      }
      switch (kind) {
        case "d":
        case "i":
          return pad(String(next() | 0));
        case "u":
          return pad(String(next()));
        case "x":
          return pad(next().toString(16));
        case "X":
          return pad(next().toString(16).toUpperCase());
        case "p":
          return next().toString(16).padStart(8, "0").toUpperCase();
        case "c":
        case "C":
          return String.fromCharCode(next() & 0xff);
        case "s":
          return pad(text(next(), size === "w" || size === "l"));
        case "S":
          return pad(text(next(), true));
        case "Z":
          return pad(size === "w" ? readUnicodeString(memory, next()) : text(memory.readU32(next() + 4), false));
        default:
          return kind;
      }
    },
  );
}

export const debugRoutines = [
  leaf("DbgPrint", (k, formatAddress, args) => {
    k.emit("note", "print", () => ({ kind: "note", what: "print", address: 0, value: 0, text: format(k, formatAddress, args) }));
    return 0;
  }),
  leaf("DbgPrintEx", (k, _component, _level, formatAddress, args = 0) => {
    k.emit("note", "print", () => ({ kind: "note", what: "print", address: 0, value: 0, text: format(k, formatAddress, args) }));
    return 0;
  }),
  leaf("DbgBreakPoint", (k) => {
    throw new DriverFault("bugcheck", `the driver stopped at a breakpoint of its own (${k.driverOfThread(k.current)})`);
  }),
  leaf("RtlAssert", (k, expression, file, line) => {
    const text = readAnsi(k.memory, expression, 256);
    throw new DriverFault("bugcheck", `an assertion of the driver failed: ${text} (${readAnsi(k.memory, file, 256)}:${line})`);
  }),
  leaf("KeBugCheck", (k, code) => k.bugCheck(code, [0, 0, 0, 0], "the driver called KeBugCheck")),
  leaf("KeBugCheckEx", (k, code, ...parameters) => k.bugCheck(code, parameters, "the driver called KeBugCheckEx")),
];
