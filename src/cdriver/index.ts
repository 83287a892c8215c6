/** C drivers: from a project, a folder or files to code that can run, wait and be told line by line what it did. */
export { type BuildOptions, buildDriver, type ImageSlot } from "./build.ts";
export { CompileError, InputError } from "./errors.ts";
export type { CodeLocation, DriverImage } from "./image.ts";
export { type Checks, allChecks, noChecks } from "./checks/flags.ts";
export { type ProjectOptions, readProject } from "./project.ts";
export type { ProjectInput, SourceInput } from "./project-input.ts";
export { SHARED_GLOBALS } from "./shared-globals.ts";
export { createToolchain, type Toolchain } from "./toolchain.ts";
