/**
 * Text from a printf format, as the C run-time library of Windows makes it.
 *
 * Arguments lie in memory behind one pointer, as wasm32 passes them: each in 4 bytes, 64-bit ones in 8 at a multiple of 8.
 */
import { readsCounted, readsString, writesBytes } from "./driver-buffers.ts";
import type { Kernel } from "./kernel.ts";
import { DriverFault } from "./outcome.ts";
import type { KernelMemory } from "./memory.ts";
import { readAnsi, readUnicodeString, readUtf16, utf16Length } from "./strings.ts";

/** flags, width, precision, size, type */
const SPECIFICATION = /%([-+ #0]*)(\*|\d+)?(?:\.(\*|-?\d*))?(hh|h|ll|l|I64|I32|I|w|z|j|t|L)?([a-zA-Z%])/g;
const LONGEST_TEXT = 0xffff;

/** Reads one argument after the other. */
function argumentsAt(memory: KernelMemory, address: number) {
  let at = address;
  const skip = (bytes: number): number => {
    const start = Math.ceil(at / bytes) * bytes;
    at = start + bytes;
    return start;
  };
  return {
    word: () => memory.readU32(skip(4)),
    wide: () => memory.data.getBigUint64(skip(8), true),
    double: () => memory.data.getFloat64(skip(8), true),
  };
}
type Arguments = ReturnType<typeof argumentsAt>;

interface Layout {
  readonly flags: string;
  readonly width: number;
  /** Digits after the point, least digits, or most characters; undefined: not given. */
  readonly precision: number | undefined;
}

function padded(text: string, { flags, width }: Layout, isNumber = false): string {
  if (flags.includes("-")) return text.padEnd(width);
  if (!flags.includes("0") || !isNumber) return text.padStart(width);
  // Zeros go between the sign or the 0x and the digits.
  const [prefix = ""] = /^([-+ ]|0[xX])?/.exec(text) ?? [];
  return prefix + text.slice(prefix.length).padStart(width - prefix.length, "0");
}

const signOf = (isNegative: boolean, flags: string): string => {
  if (isNegative) return "-";
  if (flags.includes("+")) return "+";
  return flags.includes(" ") ? " " : "";
};

function integer(value: bigint, type: string, layout: Layout): string {
  const { flags, precision } = layout;
  const radix = type === "o" ? 8 : /x/i.test(type) ? 16 : 10;
  const magnitude = value < 0n ? -value : value;
  let digits = magnitude === 0n && precision === 0 ? "" : magnitude.toString(radix);
  digits = digits.padStart(precision ?? 1, "0");
  if (flags.includes("#") && radix === 8 && !digits.startsWith("0")) digits = `0${digits}`;
  const prefix = flags.includes("#") && radix === 16 && magnitude !== 0n ? "0x" : "";
  const sign = type === "d" || type === "i" ? signOf(value < 0n, flags) : "";
  const text = sign + prefix + digits;
  // A precision says how many zeros there are; the flag is ignored then.
  return padded(type === "X" ? text.toUpperCase() : text, layout, precision === undefined);
}

function real(value: number, type: string, layout: Layout): string {
  const { flags, precision = 6 } = layout;
  const magnitude = Math.abs(value);
  const exponent = (text: string): string => text.replace(/e([-+])(\d)$/, "e$10$2");
  let text: string;
  if (!Number.isFinite(value)) text = Number.isNaN(value) ? "nan" : "inf";
  else if (/f/i.test(type)) text = magnitude.toFixed(Math.min(precision, 100));
  else if (/e/i.test(type)) text = exponent(magnitude.toExponential(Math.min(precision, 100)));
  else {
    text = exponent(magnitude.toPrecision(Math.min(Math.max(precision, 1), 100)));
    if (!flags.includes("#")) text = text.replace(/\.?0+(?=e|$)/, (zeros) => (text.includes(".") ? "" : zeros));
  }
  text = signOf(value < 0 || Object.is(value, -0), flags) + text;
  return padded(/[A-Z]/.test(type) ? text.toUpperCase() : text, layout, Number.isFinite(value));
}

/** The characters at an address, up to the terminating zero. */
function characters(k: Kernel, address: number, isWide: boolean, most = LONGEST_TEXT): string {
  if (address === 0) return "(null)";
  const { memory } = k;
  if (!memory.isAddress(address))
    throw new DriverFault("trap", `a format names a string at 0x${address.toString(16)}, where no memory is`);
  readsString(k, address, isWide ? 2 : 1, most);
  return isWide ? readUtf16(memory, address, utf16Length(memory, address, most)) : readAnsi(memory, address, most);
}

/** %Z: the text of a counted string. */
function counted(k: Kernel, address: number, isWide: boolean): string {
  const { memory } = k;
  readsCounted(k, address);
  if (address === 0 || memory.readU32(address + 4) === 0) return "(null)";
  return isWide
    ? readUnicodeString(memory, address)
    : String.fromCharCode(
        ...memory.u8.subarray(memory.readU32(address + 4), memory.readU32(address + 4) + memory.readU16(address)),
      );
}

/** `isWide`: a function for wide characters, for which %s and %c mean wide ones, and %S and %C the others. */
export function formatted(k: Kernel, format: string, argumentArea: number, isWide: boolean): string {
  const next = argumentsAt(k.memory, argumentArea);
  return format.replace(SPECIFICATION, (_all, ...parts: (string | undefined)[]) => {
    const [givenFlags = "", widthText, precisionText, size = "", type = ""] = parts;
    if (type === "%") return "%";
    const givenWidth = widthText === "*" ? next.word() | 0 : Number(widthText ?? 0);
    const givenPrecision = precisionText === "*" ? next.word() | 0 : precisionText === undefined ? -1 : Number(precisionText);
    const layout = {
      flags: givenWidth < 0 ? `${givenFlags}-` : givenFlags,
      width: Math.abs(givenWidth),
      precision: givenPrecision < 0 ? undefined : givenPrecision,
    };
    const isWideText = size === "l" || size === "w" || (size !== "h" && /[SCZ]/.test(type) !== isWide && type !== "Z");
    switch (type) {
      case "d":
      case "i":
      case "u":
      case "o":
      case "x":
      case "X":
        return integer(integerArgument(next, size, type), type, layout);
      case "p":
        return padded(next.word().toString(16).toUpperCase().padStart(8, "0"), layout);
      case "c":
      case "C":
        return padded(String.fromCharCode(next.word() & (isWideText ? 0xffff : 0xff)), layout);
      case "s":
      case "S":
        return padded(characters(k, next.word(), isWideText, layout.precision).slice(0, layout.precision), layout);
      case "Z":
        return padded(counted(k, next.word(), size === "l" || size === "w").slice(0, layout.precision), layout);
      case "e":
      case "E":
      case "f":
      case "F":
      case "g":
      case "G":
        return real(next.double(), type, layout);
      default:
        // Undocumented: an unknown type. It prints itself and takes no argument.
        return type;
    }
  });
}

function integerArgument(next: Arguments, size: string, type: string): bigint {
  const isSigned = type === "d" || type === "i";
  const bits = size === "ll" || size === "I64" || size === "j" ? 64 : size === "hh" ? 8 : size === "h" ? 16 : 32;
  const value = bits === 64 ? next.wide() : BigInt(next.word());
  return isSigned ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}

/** _vsnprintf and _vsnwprintf: the count of characters, or -1 if they do not all fit; a zero follows if there is room for it. */
export function printTo(k: Kernel, buffer: number, count: number, text: string, width: 1 | 2): number {
  const { memory } = k;
  writesBytes(k, buffer, Math.min(text.length + 1, count) * width);
  const put = (index: number, code: number): void => {
    if (width === 1) memory.u8[buffer + index] = code;
    else memory.writeU16(buffer + index * 2, code);
  };
  const length = Math.min(text.length, count);
  for (let index = 0; index < length; index += 1) put(index, text.charCodeAt(index));
  if (length < count) put(length, 0);
  return text.length <= count ? text.length : -1;
}
