/** Drivers from their sources: C is built for its slot, TypeScript is loaded; counterparts come from the library's own C. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { compileFlags, libraryHeaders, runtimeSource } from "../contract/index.ts";
import {
  type Checks,
  type DriverImage,
  type ImageSlot,
  InputError,
  type ProjectOptions,
  type Toolchain,
  buildDriver,
  createToolchain,
  readProject,
} from "../cdriver/index.ts";
import { imageSlots } from "../kernel/memory.ts";
import { loadModule, loadTypeScriptDriver } from "../tsdriver/load.ts";
import type { Scenario } from "./actions.ts";
import { type MachineDriver, routines } from "./machine.ts";

/** Functions of drivers that stock scenarios call; a driver without them does without. */
export const SCENARIO_FUNCTIONS = [
  "Exercise",
  "UnbindItself",
  "Inject",
  "InjectChain",
  "ControlDefaultPort",
  "ManagePower",
  "ChangeDefaultPort",
  "Send",
  "Ask",
  "HoldSends",
  "Tell",
  "Received",
  "AskAll",
  "SubmitRequest",
  "CancelRequest",
  "SendTo",
  "SendChain",
  "CancelSends",
  "HoldReceives",
  "ReturnAtDispatch",
  "ReceivedOn",
] as const;

const localImports: ReadonlySet<string> = new Set(
  routines.flatMap((each) => (each.kind === "leaf" && each.isLocal ? [each.name] : [])),
);

function slotOf(slot: number, functions: number): ImageSlot {
  return {
    dataBase: imageSlots.dataBase(slot),
    dataLimit: imageSlots.dataBase(slot + 1),
    tableBase: imageSlots.tableBase(slot),
    // The end of the slot's part is kept for exported functions.
    tableLimit: imageSlots.tableBase(slot + 1) - functions - 4,
  };
}

const coverageOf = (slot: number, isByLine: boolean) => ({
  base: imageSlots.coverageBase(slot),
  bytes: imageSlots.coverageBytes,
  isByLine,
});

/** Builds drivers with one compiler process between them; `stop` ends it. */
export class Builder {
  readonly #toolchain: Toolchain = createToolchain();
  readonly #cacheFolder: string | undefined;
  readonly #headers = libraryHeaders();

  constructor(cacheFolder?: string) {
    this.#cacheFolder = cacheFolder;
  }

  /** Builds the C driver of a project file, a folder or sources for that slot. Scenarios may call the functions of these names. */
  async c(
    targets: readonly string[],
    slot: number,
    options: ProjectOptions & { readonly coverage?: "lines" | "functions"; readonly checks?: Checks; readonly points?: readonly string[] },
    functions: readonly string[] = SCENARIO_FUNCTIONS,
  ): Promise<MachineDriver & { readonly kind: "c" }> {
    const project = readProject(targets, options);
    checkEntries(project.sources.map(({ path }) => path));
    const image = await buildDriver(project, {
      slot: slotOf(slot, functions.length),
      slotNumber: slot,
      headers: this.#headers,
      runtimeSource: runtimeSource(),
      flags: compileFlags,
      localImports,
      exports: functions,
      toolchain: this.#toolchain,
      ...(options.checks === undefined ? {} : { checks: options.checks }),
      ...(options.points === undefined ? {} : { points: options.points }),
      ...(options.coverage === undefined ? {} : { coverage: coverageOf(slot, options.coverage === "lines") }),
      ...(this.#cacheFolder === undefined ? {} : { cacheFolder: this.#cacheFolder }),
    });
    return { kind: "c", slot, name: image.name, isStock: false, image, module: moduleOf(image) };
  }

  async typeScript(path: string, slot: number): Promise<MachineDriver & { readonly kind: "typescript" }> {
    const { driver, files, placeOf } = await loadTypeScriptDriver(path);
    return { kind: "typescript", slot, name: driver.name, isStock: false, driver, files, placeOf };
  }

  /** One of the library's own drivers; `folder` is where their sources are. */
  async counterpart(kind: "miniport" | "protocol", slot: number, folder: string): Promise<MachineDriver> {
    const driver = await this.c([`${folder}/${kind}.c`], slot, {});
    return { ...driver, name: `counterpart ${kind}`, isStock: true };
  }

  /** The scenario that a file exports as its default. */
  async scenario(path: string): Promise<Scenario> {
    const { module } = await loadModule(resolve(path));
    const { default: scenario } = module as { default?: Partial<Scenario> };
    if (typeof scenario?.name !== "string" || !(Array.isArray(scenario.actions) || typeof scenario.actions === "function")) {
      throw new InputError(
        `${path} has no scenario: export one as default, made with defineScenario("name", function* (s) { yield { do: "load", driver: 0 }; }).`,
      );
    }
    return { ...scenario, name: scenario.name, summary: scenario.summary ?? "", actions: scenario.actions };
  }

  stop(): void {
    this.#toolchain.stop();
  }
}

/** A driver begins in one place: several definitions are several drivers, of which the linker would keep one. */
function checkEntries(sources: readonly string[]): void {
  const defining = sources.filter((path) => {
    const text = readFileSync(path, "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    return /\bDriverEntry\s*\([^;{)]*\)\s*\{/.test(text);
  });
  if (defining.length > 1) {
    throw new InputError(
      `DriverEntry is defined in ${defining.length} files: ${defining.join(", ")}. Name the sources of one driver.`,
    );
  }
}

const modules = new WeakMap<DriverImage, WebAssembly.Module>();

function moduleOf(image: DriverImage): WebAssembly.Module {
  const known = modules.get(image) ?? new WebAssembly.Module(image.wasm);
  modules.set(image, known);
  return known;
}
