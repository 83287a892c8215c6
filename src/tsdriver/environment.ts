/** The environment that a TypeScript driver's factory gets. */
import { countedStringBytes, writeCountedString } from "../kernel/counted-strings.ts";
import { type ConstantName, type StructName, constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { imageSlots } from "../kernel/memory.ts";
import { RunFailed } from "../kernel/outcome.ts";
import { Frame } from "../kernel/state.ts";
import { windowsStruct, writeHeader } from "../kernel/windows.ts";
import type { DdiCall, DdiRequest, DriverEnvironment, FieldValues } from "./driver.ts";

interface Hooks {
  handler(name: string): number;
  /** A call was made; the function that it returns says that it was handed over. */
  called(name: string): () => void;
}

export function createEnvironment(kernel: Kernel, slot: number, hooks: Hooks): DriverEnvironment {
  const { memory } = kernel;
  const end = imageSlots.dataBase(slot + 1);
  let next = imageSlots.dataBase(slot);
  const statics = (bytes: number): number => {
    const address = next;
    next += Math.ceil(bytes / 16) * 16;
    if (next > end)
      throw new RunFailed(`a TypeScript driver has ${imageSlots.dataBytes} bytes of its own data; it asked for more`);
    return address;
  };
  const view = <N extends StructName>(name: N, address: number) => windowsStruct(name).at(memory, address);
  const own = {
    memory,
    constant,
    handler: hooks.handler,
    statics,
    view,
    staticStruct: <N extends StructName>(name: N) => view(name, statics(windowsStruct(name).bytes)),
    local: <N extends StructName>(name: N, fields: FieldValues<N> = {}) => {
      const structure = view(name, pushLocal(kernel, windowsStruct(name).bytes));
      for (const [field, value] of Object.entries(fields)) {
        Reflect.set(structure, field, typeof value === "string" ? constant(value as ConstantName) : value);
      }
      return structure;
    },
    addressOf: (name: StructName, address: number, field: string) => address + windowsStruct(name).offset(field),
    unicodeString: (text: string) => {
      const address = statics(countedStringBytes(text));
      writeCountedString(memory, address, text);
      return address;
    },
    header: (address: number, type: ConstantName, revision: number, size: ConstantName) =>
      writeHeader(kernel, address, type, revision, size),
  };
  return new Proxy(own, {
    get: (target, name) => {
      if (typeof name !== "string" || name in target) return Reflect.get(target, name);
      const routine = kernel.routineIndex(name);
      if (routine === undefined) throw new RunFailed(`${name} was asked for, which ndislab does not have`);
      return (...args: number[]) => ddiCall(routine, args, hooks.called(name));
    },
  }) as unknown as DriverEnvironment;
}

function ddiCall(routine: number, args: readonly number[], handedOver: () => void): DdiCall {
  return {
    *[Symbol.iterator](): Generator<DdiRequest, number, number> {
      handedOver();
      return yield { routine, args };
    },
  };
}

/** Cleared room on the simulated stack of the innermost handler that runs. */
function pushLocal(kernel: Kernel, bytes: number): number {
  const thread = kernel.current;
  const frame: Frame = kernel.frame(thread, thread.depth - 1);
  const room = Math.ceil(bytes / 16) * 16;
  frame.sp -= room;
  // C that ran there before leaves what it had.
  kernel.memory.clear(frame.sp, room);
  return frame.sp;
}
