/** A stack of drivers as it is sent from thread to thread: C goes as it was built, TypeScript is loaded again. */
import { type PortableImage, receivedImage } from "../cdriver/image.ts";
import { must } from "../kernel/assert.ts";
import { loadTypeScriptDriver } from "../tsdriver/load.ts";
import type { MachineDriver } from "./machine.ts";

export type PortableDriver = Pick<MachineDriver, "slot" | "name" | "isStock"> &
  (
    | { readonly kind: "c"; readonly image: PortableImage; readonly module: WebAssembly.Module }
    | { readonly kind: "typescript"; readonly file: string }
  );

export function portableDriver(driver: MachineDriver): PortableDriver {
  const { slot, name, isStock } = driver;
  if (driver.kind === "c") return { kind: "c", slot, name, isStock, image: driver.image.portable, module: driver.module };
  return { kind: "typescript", slot, name, isStock, file: must(driver.files[0], `no file is known of the driver ${name}`) };
}

export async function receivedDriver(sent: PortableDriver): Promise<MachineDriver> {
  const { slot, name, isStock } = sent;
  if (sent.kind === "c") return { kind: "c", slot, name, isStock, image: receivedImage(sent.image), module: sent.module };
  return { kind: "typescript", slot, name, isStock, ...(await loadTypeScriptDriver(sent.file)) };
}
