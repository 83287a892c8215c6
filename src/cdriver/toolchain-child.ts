/** Talks to the process that holds the compiler; see toolchain-worker.ts. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { ToolAnswer, ToolRequest } from "./toolchain-worker.ts";

interface Waiting {
  resolve(answer: ToolAnswer): void;
  reject(error: Error): void;
}

/** Started by the first request. An idle one does not keep its parent alive. */
export class CompilerProcess {
  #child: ChildProcess | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #printed = "";

  get isStarted(): boolean {
    return this.#child !== undefined;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  async run(request: Omit<ToolRequest, "id">): Promise<ToolAnswer> {
    this.#child ??= await this.#start();
    const child = this.#child;
    const id = this.#nextId;
    this.#nextId += 1;
    child.ref();
    child.channel?.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      child.send({ ...request, id }, (error) => {
        if (error !== null) this.#fail(`the compiler process does not take requests: ${error.message}`);
      });
    });
  }

  /** Ends the process; a later request starts another. */
  stop(): void {
    const child = this.#child;
    this.#child = undefined;
    child?.removeAllListeners("exit");
    child?.kill();
    this.#fail("the compiler process was stopped");
  }

  async #start(): Promise<ChildProcess> {
    const compiler = pathToFileURL(createRequire(import.meta.url).resolve("@yowasp/clang")).href;
    const child = spawn(process.execPath, ["--liftoff-only", "--input-type=module", "--eval", await workerText(), compiler], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      serialization: "advanced",
    });
    this.#printed = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#printed = (this.#printed + text).slice(-2000);
    });
    (child.stderr as unknown as { unref?: () => void } | null)?.unref?.();
    child.on("message", (answer: ToolAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (this.#waiting.size === 0) {
        child.unref();
        child.channel?.unref();
      }
      waiting?.resolve(answer);
    });
    child.on("error", (error) => this.#fail(`the compiler process could not be started: ${error.message}`));
    child.on("exit", (code, signal) => {
      if (this.#child === child) this.#child = undefined;
      this.#fail(`the compiler process ended (${signal ?? `exit code ${code}`}). ${this.#printed}`.trim());
    });
    return child;
  }

  #fail(message: string): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const each of waiting) each.reject(new Error(message));
  }
}

/** The worker as JavaScript: Node.js 20 cannot run TypeScript. */
async function workerText(): Promise<string> {
  const isSource = import.meta.url.endsWith(".ts");
  const text = readFileSync(fileURLToPath(new URL(isSource ? "./toolchain-worker.ts" : "./toolchain-worker.js", import.meta.url)), "utf8");
  if (!isSource) return text;
  const { transform } = await import("esbuild");
  return (await transform(text, { loader: "ts", format: "esm" })).code;
}
