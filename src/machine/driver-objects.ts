/** Driver objects of a machine's drivers, by their slots. */
import { keepText } from "../kernel/counted-strings.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { DriverObject } from "../kernel/io/devices.ts";
import { allocate } from "../kernel/pool.ts";
import { makeKey } from "../kernel/registry/tree.ts";

const DRIVER_TAG = 0x7672_4444;

/** The driver object of a slot; made when the driver is loaded. */
export function driverObject(k: Kernel, slot: number): number {
  return k.memory.readU32(driverObjectWord(slot));
}
const driverObjectWord = (slot: number): number => 0x0001_8000 + slot * 4;

export function createDriverObject(k: Kernel, slot: number): { object: number; path: number } {
  const object = allocate(k, DriverObject.bytes, DRIVER_TAG, -1);
  const text = `\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet001\\Services\\driver${slot}`;
  const path = keepText(k, text, DRIVER_TAG);
  makeKey(k, text);
  DriverObject.at(k.memory, object).Size = DriverObject.bytes;
  k.memory.writeU32(driverObjectWord(slot), object);
  return { object, path };
}
