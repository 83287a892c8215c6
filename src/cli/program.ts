/** The command line: commands, options and their help. */
import { Argument, Command, CommanderError, Option } from "commander";
import { type CheckOptions, check, formats } from "./check-command.ts";
import { demo } from "./demo-command.ts";
import { UsageError, tellError } from "./errors.ts";
import { type ExploreCommandOptions, explore, strategies } from "./explore-command.ts";
import { explainName } from "./explain-command.ts";
import { type Listing, list, listings } from "./list-command.ts";
import { type ReplayOptions, replay } from "./replay-command.ts";
import { listMissing } from "./missing-command.ts";
import { type ExitCode, type World, toolName, widthOf } from "./world.ts";

/** Runs one command; never throws. `args` are the words after the name of the program. */
export async function runProgram(args: readonly string[], world: World): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const program = createProgram(world, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    // Commander has said what is wrong; help and version are no errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
    return tellError(error, world);
  }
}

function createProgram(world: World, finish: (code: ExitCode) => void): Command {
  const program = new Command(toolName(world));
  program
    .description("Checks the C source of Windows network drivers against the contract of NDIS 6, without Windows.")
    .version(world.version, "--version", "print the version")
    .helpOption("--help", "print this help")
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => world.out.write(text),
      writeErr: (text) => world.err.write(text),
      getOutHelpWidth: () => widthOf(world.out),
      getErrHelpWidth: () => widthOf(world.err),
      outputError: (text, write) => write(text.replace(/^error: /, "ndislab: ")),
    })
    .showHelpAfterError(`Type '${toolName(world)} --help' for the commands and their options.`);

  addCheck(program, world, finish);
  addExplore(program, world, finish);
  addReplay(program, world, finish);
  program
    .command("explain")
    .summary("tell what is known of a rule, a routine, a status, an OID, a bug check or an object")
    .description(
      "Tells what is known of a rule, a routine, a handler, a structure, a status (by name or value), an OID, a bug-check code or an object.",
    )
    .argument("<name>", "such as NdisMFreePort, unbind-must-close, 0xC0230008, 0x7C/0x25, binding")
    .action(async (name: string) => finish(await explainName(name, world)));
  program
    .command("list")
    .summary("list rules, ddis, scenarios or strategies")
    .description(
      "Lists the rules and which are watched, the routines (DDIs) and which are there, the scenarios, or the strategies.",
    )
    .addArgument(new Argument("<what>", "what to list").choices(listings))
    .argument("[word]", "only names that contain it, or the group of that name")
    .option("--missing-for <target...>", "with ddis: the routines that this driver calls and that are not there yet")
    .addOption(defineOption())
    .addOption(includeOption())
    .addOption(ndisOption())
    .addOption(configurationOption())
    .action(async (what: Listing, word: string | undefined, options: ListOptions) => {
      const { missingFor } = options;
      if (missingFor === undefined) return finish(await list(what, word, world));
      if (what !== "ddis")
        throw new UsageError(`--missing-for tells of routines: list ddis --missing-for ${missingFor.join(" ")}`);
      return finish(await listMissing(missingFor, { ...options, quiet: false, strict: false }, world));
    });
  program.command("demo", { hidden: true }).action(async () => finish(await demo(world)));
  program.on("command:*", ([name = ""]: string[]) => {
    throw new UsageError(unknownCommand(name, program, world));
  });
  return program;
}

function unknownCommand(name: string, program: Command, world: World): string {
  const names = program
    .createHelp()
    .visibleCommands(program)
    .map((command) => command.name());
  const isDriver = /[\\/.]/.test(name);
  const remedy = isDriver ? `To check a driver: ${toolName(world)} check ${name}` : `The commands are ${names.join(", ")}.`;
  return `there is no command '${name}'. ${remedy}`;
}

const collect = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value];

const repeatable = (flags: string, text: string): Option => new Option(flags, text).argParser(collect);

interface ListOptions extends Pick<CheckOptions, "define" | "include" | "ndis" | "configuration"> {
  readonly missingFor?: readonly string[];
}

const defineOption = (): Option => repeatable("-D, --define <name[=value]>", "define a macro, as in clang; repeatable");
const includeOption = (): Option => repeatable("-I, --include <folder>", "look for headers there, as in clang; repeatable");
const ndisOption = (): Option =>
  new Option("--ndis <version>", "version of NDIS that the source asks for, unless it says so itself, such as 6.30");
const configurationOption = (): Option => new Option("--configuration <name>", "configuration of the .vcxproj, such as Debug");

const TARGET = "a .vcxproj, a folder, .c files of one driver, or a .ts or .js driver module";
const OUTPUT = "write the report to a file; standard output then gets the verdict";
const EXIT_CODES =
  "\nExit code 0: nothing broken; 1: usage, input or compile error; 2: violations; 3: a failure of ndislab itself.";

const withOption = (): Option => repeatable("--with <driver>", "another driver in the stack, which is not accused; repeatable");
const scenarioOption = (world: World): Option =>
  new Option(
    "--scenario <glob|file>",
    `only scenarios whose names match ('${toolName(world)} list scenarios' names them), or the one that a .ts or .js file exports`,
  );
const formatOption = (): Option =>
  new Option("--format <format>", "form of the report (default: text; json for an output file that ends in .json)").choices(
    formats,
  );

function addExplore(program: Command, world: World, finish: (code: ExitCode) => void): void {
  program
    .command("explore")
    .summary("search schedules and failures, and say what was covered")
    .description(
      "Builds the drivers and searches each scenario: who runs when, what fails, what pends; first the runs that differ least from the simplest. Says what it has covered, and gives a token for each failure.",
    )
    .argument("<target...>", TARGET)
    .addOption(defineOption())
    .addOption(includeOption())
    .addOption(ndisOption())
    .addOption(configurationOption())
    .addOption(withOption())
    .addOption(scenarioOption(world))
    .option("--seconds <number>", "time to search, for all scenarios together", "60")
    .option("--runs <number>", "at most so many random runs of each scenario")
    .option("--preemptions <number>", "at most so many in the search")
    .option("--faults <number>", "at most so many failures and late answers in a run")
    .option("--seed <number>", "of the random runs", "1")
    .addOption(
      new Option("--strategy <name>", "only this; else the search, and the random strategies beside it").choices(strategies),
    )
    .option("--processors <number>", "of the machine, from 1 to 8; else what the scenario has, mostly 2")
    .addOption(formatOption())
    .option("--output <file>", OUTPUT)
    .option("--no-save", "do not keep the failures in a file beside the target, and do not try those first that are there")
    .option("--quiet", "only the violations and the verdict; no progress", false)
    .option("--strict", "warnings count as violations", false)
    .addHelpText("after", EXIT_CODES)
    .action(async (targets: string[], options: ExploreCommandOptions) => finish(await explore(targets, options, world)));
}

function addReplay(program: Command, world: World, finish: (code: ExitCode) => void): void {
  program
    .command("replay")
    .summary("make one run again, and tell it step by step")
    .description(
      "Makes the run of a token again and tells it step by step; in a terminal forward and backward. Without a target, that of the failures saved here.",
    )
    .argument("<token>", "as a report of explore has it")
    .argument("[target...]", TARGET)
    .addOption(defineOption())
    .addOption(includeOption())
    .addOption(ndisOption())
    .addOption(configurationOption())
    .addOption(withOption())
    .addOption(scenarioOption(world))
    .option("--all", "tell all steps and end, in a terminal too", false)
    .addHelpText("after", EXIT_CODES)
    .action(async (token: string, targets: string[], options: ReplayOptions) =>
      finish(await replay(token, targets, options, world)),
    );
}

function addCheck(program: Command, world: World, finish: (code: ExitCode) => void): void {
  program
    .command("check")
    .summary("run the stock scenarios that fit the drivers, and verify every rule")
    .description(
      "Builds the drivers, binds them to each other and to stock counterparts, runs the scenarios that fit, and verifies every rule.",
    )
    .argument("<target...>", TARGET)
    .addOption(defineOption())
    .addOption(includeOption())
    .addOption(ndisOption())
    .addOption(configurationOption())
    .addOption(withOption())
    .addOption(scenarioOption(world))
    .addOption(formatOption())
    .option("--output <file>", OUTPUT)
    .option("--threads <count>", "how many run scenarios at the same time (default: as the processors are, up to 4)")
    .option("--coverage", "count the driver's lines, branches and functions that the runs execute, and tell what none has", false)
    .option("--coverage-scenarios", "tell it of each scenario alone, too", false)
    .option("--coverage-lcov <file>", "write it as a tracefile of LCOV")
    .option("--coverage-cobertura <file>", "write it as XML of Cobertura")
    .option("--coverage-html <file>", "write it as a page beside the source")
    .option("--quiet", "only the violations and the verdict; no progress", false)
    .option("--strict", "warnings break the check too", false)
    .addHelpText("after", EXIT_CODES)
    .action(async (targets: string[], options: CheckOptions) => finish(await check(targets, options, world)));
}
