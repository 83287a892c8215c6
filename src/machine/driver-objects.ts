/** Driver objects of a machine's drivers, by their slots. */
import { keepText } from "../kernel/counted-strings.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { DriverObject } from "../kernel/io/devices.ts";
import { imageSlots } from "../kernel/memory.ts";
import { allocate } from "../kernel/pool.ts";
import { makeKey } from "../kernel/registry/tree.ts";

const DRIVER_TAG = 0x7672_4444;

/** The driver object of a slot, as long as its driver is loaded; 0: it is not. */
export function driverObject(k: Kernel, slot: number): number {
  return k.memory.readU32(driverObjectWord(slot));
}
const driverObjectWord = (slot: number): number => 0x0001_8000 + slot * 4;
/** How often the driver has been loaded. */
const loadsWord = (slot: number): number => driverObjectWord(imageSlots.count + slot);

export function createDriverObject(k: Kernel, slot: number): { object: number; path: number } {
  const loads = k.memory.readU32(loadsWord(slot));
  if (loads > 0) for (const host of k.hosts) host.reload?.(slot);
  k.memory.writeU32(loadsWord(slot), loads + 1);
  const object = allocate(k, DriverObject.bytes, DRIVER_TAG, -1);
  const text = `\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet001\\Services\\driver${slot}`;
  const path = keepText(k, text, DRIVER_TAG);
  makeKey(k, text);
  DriverObject.at(k.memory, object).Size = DriverObject.bytes;
  k.memory.writeU32(driverObjectWord(slot), object);
  return { object, path };
}

/** DriverEntry has failed. The object's memory stays: devices that the driver has left point to it. */
export function forgetDriverObject(k: Kernel, slot: number): void {
  k.memory.writeU32(driverObjectWord(slot), 0);
}
