import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterEach, describe, expect, test } from "vitest";
import { CompilerProcess } from "../../src/cdriver/toolchain-child.ts";

/** A stand-in for the compiler: its "output" is the command, and some commands end badly. */
const STAND_IN = `data:text/javascript,${encodeURIComponent(`
  import { writeFileSync } from "node:fs";
  const run = async (command, files, { stderr }) => {
    if (command[1] === "crash") process.exit(3);
    if (command[1] === "hang") for (;;);
    stderr(new TextEncoder().encode("said " + command[1]));
    if (command[1] === "fail") throw Object.assign(new Error("exit"), { code: 1 });
    if (command[1] === "bug") throw new Error("a defect");
    return { out: new TextEncoder().encode(command[0] + " " + command[1] + " " + files.folder.file) };
  };
  export const runClang = run;
  export const runLLVM = run;
`)}`;

const request = (word: string) => ({ command: ["clang", word], files: new Map([["/folder/file", "text"]]), output: "out" });

let started: CompilerProcess | undefined;
function compiler(): CompilerProcess {
  started = new CompilerProcess(STAND_IN);
  return started;
}
afterEach(() => started?.stop());

describe("The process that holds the compiler", () => {
  test("answers several requests, each with its own output", async () => {
    const child = compiler();
    const answers = await Promise.all(["one", "two"].map((word) => child.run(request(word))));
    expect(answers.map(({ output }) => Buffer.from(output ?? []).toString())).toEqual(["clang one text", "clang two text"]);
    expect(answers.map(({ text }) => text)).toEqual(["said one", "said two"]);
  });

  test("a command that fails has no output, and what it said", async () => {
    expect(await compiler().run(request("fail"))).toMatchObject({ output: undefined, text: "said fail" });
  });

  test("a defect of the compiler is told", async () => {
    const { output, text } = await compiler().run(request("bug"));
    expect(output).toBeUndefined();
    expect(text).toContain("a defect");
  });

  test("when it ends, the requests in waiting fail, and the next one starts another", async () => {
    const child = compiler();
    const [crashed, waiting] = await Promise.allSettled([child.run(request("crash")), child.run(request("one"))]);
    expect([crashed.status, waiting.status]).toEqual(["rejected", "rejected"]);
    expect(String(crashed.status === "rejected" && crashed.reason)).toContain("exit code 3");
    expect((await child.run(request("two"))).text).toBe("said two");
  });

  test("stopping it fails the requests in waiting", async () => {
    const child = compiler();
    const waiting = child.run(request("hang"));
    child.stop();
    await expect(waiting).rejects.toThrow("stopped");
  });

  test("an idle one does not keep its parent alive, and ends with it", async () => {
    const source = `
      import { CompilerProcess } from ${JSON.stringify(fileURLToPath(new URL("../../src/cdriver/toolchain-child.ts", import.meta.url)))};
      const child = new CompilerProcess(${JSON.stringify(STAND_IN)});
      const { text } = await child.run({ command: ["clang", "word"], files: new Map([["folder/file", ""]]), output: "out" });
      console.log(text);
    `;
    const root = fileURLToPath(new URL("../..", import.meta.url));
    const bundled = await build({
      stdin: { contents: source, resolveDir: root, loader: "ts" },
      bundle: true,
      write: false,
      platform: "node",
      format: "esm",
      external: ["esbuild"],
      define: { "import.meta.url": JSON.stringify(new URL("../../src/cdriver/toolchain-child.ts", import.meta.url).href) },
    });
    const parent = spawn(process.execPath, ["--input-type=module", "--eval", bundled.outputFiles[0]?.text ?? ""], {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let printed = "";
    parent.stdout.on("data", (bytes) => {
      printed += String(bytes);
    });
    const [code] = await once(parent, "close");
    expect([code, printed]).toEqual([0, "said word\n"]);
  });
});
