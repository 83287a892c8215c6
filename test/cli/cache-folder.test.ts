import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cacheFolder } from "../../src/cli/cache-folder.ts";

const home = join("home", "me");

describe("The cache folder", () => {
  test.each([
    ["linux", {}, join(home, ".cache", "ndislab")],
    ["linux", { XDG_CACHE_HOME: "x" }, join("x", "ndislab")],
    ["linux", { XDG_CACHE_HOME: "" }, join(home, ".cache", "ndislab")],
    ["darwin", {}, join(home, "Library", "Caches", "ndislab")],
    ["win32", { LOCALAPPDATA: "local" }, join("local", "ndislab")],
    ["win32", {}, join(home, "AppData", "Local", "ndislab")],
    ["linux", { NDISLAB_CACHE: "mine", XDG_CACHE_HOME: "x" }, "mine"],
  ])("on %s with %o", (platform, env, folder) => {
    expect(cacheFolder({ platform, env, home })).toBe(folder);
  });
});
