/** How drivers are compiled: what a 32-bit Windows kernel compiler would assume, for wasm32. The headers count on it. */

export const compileFlags: readonly string[] = [
  "--target=wasm32",
  "-ffreestanding",
  "-nostdlib",
  "-nostdlibinc",
  "-nobuiltininc",
  "-fms-extensions",
  "-fms-compatibility",
  "-fdeclspec",
  "-fshort-wchar",
  "-mms-bitfields",
  "-fgnu89-inline",
  "-fno-strict-aliasing",
  "-mbulk-memory",
  "-g",
  "-O1",
  "-fno-inline",
  "-fno-optimize-sibling-calls",
  "-D_WIN32=1",
  "-D_X86_=1",
  "-Di386=1",
  "-D_M_IX86=600",
  "-D_MSC_VER=1930",
  "-D_MSC_FULL_VER=193000000",
  "-D_KERNEL_MODE=1",
  "-D_WIN32_WINNT=0x0A00",
  "-DWINVER=0x0A00",
  "-DWINNT=1",
  "-DNTDDI_VERSION=0x0A00000B",
  "-DSTD_CALL",
  // What the Microsoft compiler lets pass, with a warning at most.
  "-Wno-everything",
  "-Wno-error=incompatible-pointer-types",
  "-Wno-error=incompatible-function-pointer-types",
  "-Wno-error=int-conversion",
  "-Wno-error=implicit-int",
  // A function that no header declares becomes an import that the library lacks, and is reported as that; the compiler only warns.
  "-Wimplicit-function-declaration",
  "-Wno-error=implicit-function-declaration",
];

/** What the Debug configuration of a driver project adds. */
export const debugFlags: readonly string[] = ["-DDBG=1"];
