/** What went wrong, told to the user: what they can put right in one message, what they cannot with all that we know. */
import { CompileError, InputError } from "../cdriver/errors.ts";
import { type ExitCode, type World, colorsOf } from "./world.ts";

/** The command line says something that cannot be done. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export function tellError(error: unknown, world: World): ExitCode {
  const { red, bold } = colorsOf(world.err, world);
  const say = (text: string): void => world.err.write(`${red(bold("ndislab:"))} ${text}\n`);
  if (error instanceof UsageError || error instanceof InputError) {
    say(error.message);
    return 1;
  }
  if (error instanceof CompileError) {
    world.err.write(`${error.text.trimEnd()}\n`);
    say("the driver could not be built: see the messages above. -D and -I give what a project file would.");
    return 1;
  }
  if (isFileError(error)) {
    say(fileMessage(error));
    return 1;
  }
  say("this is a mistake in ndislab, not in your driver. Please report it with the command you typed and what follows.");
  world.err.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 3;
}

interface FileError extends Error {
  readonly code: string;
  readonly path: string;
}

/** An error of the operating system about a file. */
function isFileError(error: unknown): error is FileError {
  return (
    error instanceof Error &&
    "code" in error &&
    "path" in error &&
    typeof error.code === "string" &&
    typeof error.path === "string"
  );
}

const remedies: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EACCES: "it may not be read or written: look at its permissions",
  EPERM: "it may not be read or written: look at its permissions",
  EISDIR: "it is a folder, and a file was expected",
  ENOTDIR: "a part of the path is a file, and a folder was expected",
  ENOSPC: "the disk is full",
  EROFS: "it is on a disk that can only be read",
};

function fileMessage({ code, path, message }: FileError): string {
  return `${path}: ${remedies[code] ?? message}`;
}
