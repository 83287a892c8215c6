/** Where built drivers are kept between runs: NDISLAB_CACHE, else the folder that the operating system has for caches. */
import { join } from "node:path";
import type { World } from "./world.ts";

export function cacheFolder({ env, platform, home }: Pick<World, "env" | "platform" | "home">): string {
  const chosen = env["NDISLAB_CACHE"];
  if (chosen !== undefined && chosen !== "") return chosen;
  if (platform === "win32") return join(env["LOCALAPPDATA"] ?? join(home, "AppData", "Local"), "ndislab");
  if (platform === "darwin") return join(home, "Library", "Caches", "ndislab");
  const xdg = env["XDG_CACHE_HOME"];
  return join(xdg === undefined || xdg === "" ? join(home, ".cache") : xdg, "ndislab");
}
