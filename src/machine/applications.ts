/**
 * Simulated applications: what processes do with the devices of drivers. Each action is a few steps of the scenario's plan, so that a machine
 * can be copied in the middle of it.
 */
import { keepText } from "../kernel/counted-strings.ts";
import { constant } from "../contract/index.ts";
import { DISPATCHER_TYPE, initializeDispatcher } from "../kernel/dispatcher-objects.ts";
import { STATUS_PENDING, letGo } from "../kernel/io/completion.ts";
import { cancelRequest } from "../kernel/io/cancel.ts";
import { SymbolicLink } from "../kernel/io/devices.ts";
import { closeHandle, handlesOf } from "../kernel/io/close.ts";
import { OPEN_EXISTING, openFile } from "../kernel/io/files.ts";
import { Request } from "../kernel/io/irps.ts";
import { awaitRequest, sendRequest } from "../kernel/io/requests.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { createManaged, dereference, openHandle } from "../kernel/object-manager.ts";
import { RunFailed } from "../kernel/outcome.ts";
import { type Next, type PlanStep, done, goTo, plan, run, step } from "../kernel/plan.ts";
import { allocate, free } from "../kernel/pool.ts";
import { Process, freeUserOf, processNumber } from "../kernel/processes.ts";
import { readUnicodeString } from "../kernel/strings.ts";
import { struct, u32 } from "../kernel/struct.ts";
import type { ApplicationAction, ApplicationAnswer, Requesting } from "./application-actions.ts";
import { judge } from "./expectations.ts";
import { NamedHandle, nameHandle, namedHandle, numberOfName } from "./named-handles.ts";
import { type Data, allocateBuffer, placeData } from "./user-data.ts";

export type Hear = (answer: ApplicationAnswer) => void;

/** What the steps of an action remember from one to the next. */
interface Locals {
  request: number;
}

const STRING_TAG = 0x7274_7355;
const SUCCESS = 0;
const SYNCHRONOUS_IO = constant("FILE_SYNCHRONOUS_IO_NONALERT");
/** Applications here let others read and write beside them. */
const SHARED = constant("FILE_SHARE_READ") | constant("FILE_SHARE_WRITE");
const EVENT_ALL_ACCESS = 0x001f_0003;
const SYNCHRONIZE_AND_ATTRIBUTES = 0x0010_0080;
const ACCESS = {
  none: SYNCHRONIZE_AND_ATTRIBUTES,
  read: SYNCHRONIZE_AND_ATTRIBUTES | constant("FILE_READ_DATA"),
  write: SYNCHRONIZE_AND_ATTRIBUTES | constant("FILE_WRITE_DATA"),
  "read and write": SYNCHRONIZE_AND_ATTRIBUTES | constant("FILE_READ_DATA") | constant("FILE_WRITE_DATA"),
} as const;

function handleNamed(k: Kernel, name: string): NamedHandle {
  const named = namedHandle(k, name);
  if (named === undefined) throw new RunFailed(`the scenario uses the file '${name}', which is not open`);
  return named;
}

function requestNamed(k: Kernel, name: string): Request {
  const request = k.objects.all(Request).find((each) => each.name === numberOfName(name));
  if (request === undefined) throw new RunFailed(`the scenario names the request '${name}', which was not made`);
  return request;
}

/** From here on, or not any more, the thread is one of the process. */
function become(k: Kernel, process: Process | undefined): void {
  k.current.process = process?.address ?? 0;
  k.current.isFromUserMode = process !== undefined;
}

/** The request is over for the application: what came of it is told, its memory is freed. */
function collect(k: Kernel, request: Request, hear: Hear): Uint8Array {
  const { state, status, information, output, outputBytes } = request;
  // The driver answered without completing it: the I/O manager keeps it, with the file and the memory.
  if (state === "Sent") {
    request.isLeftAlone = true;
    return new Uint8Array();
  }
  const bytes = k.memory.u8.slice(output, output + Math.min(information, outputBytes));
  hear({ status, information, output: bytes });
  letGo(k, request);
  freeUserOf(k, request.address);
  k.objects.release(request);
  return bytes;
}

export function applicationSteps(action: ApplicationAction, hear: Hear): PlanStep<Locals>[] {
  switch (action.do) {
    case "open":
      return openSteps(action, hear);
    case "control":
      return requestSteps(action, `IOCTL 0x${action.code.toString(16)}`, hear, (k, process, request) => {
        request.major = constant("IRP_MJ_DEVICE_CONTROL");
        request.code = action.code;
        setInput(k, process, request, action, action.input ?? []);
        setOutput(k, process, request, action, action.outputBytes ?? 0);
      });
    case "read":
      return requestSteps(action, "a read", hear, (k, process, request) => {
        request.major = constant("IRP_MJ_READ");
        setOutput(k, process, request, action, action.bytes);
      });
    case "write":
      return requestSteps(action, "a write", hear, (k, process, request) => {
        request.major = constant("IRP_MJ_WRITE");
        setInput(k, process, request, action, action.data);
      });
    case "cancel":
      return [
        step(`request '${action.request}' is cancelled`, (k) => run(cancelRequest, [requestNamed(k, action.request).address])),
        step("the driver has been asked", (_k, _p, wasAsked) => {
          const status = wasAsked === 0 ? constant("STATUS_NOT_FOUND") : SUCCESS;
          judge(`cancelling '${action.request}'`, action, status);
          return keep(status);
        }),
      ];
    case "await":
      return [
        step(`request '${action.request}' is awaited`, (k) => run(awaitRequest, [requestNamed(k, action.request).address])),
        step("it is complete", (k) => {
          const request = requestNamed(k, action.request);
          const { status } = request;
          const output = collect(k, request, hear);
          judge(`request '${action.request}'`, action, status, output);
          return keep(status);
        }),
      ];
    case "close":
      return [
        step(`'${action.file}' is closed`, (k) => {
          const named = handleNamed(k, action.file);
          become(k, named.process === 0 ? undefined : Process.at(k.memory, named.process));
          const { handle } = named;
          k.objects.release(named);
          return run(closeHandle, [handle]);
        }),
        step("the application goes on", (k, _p, status) => {
          become(k, undefined);
          judge(`closing '${action.file}'`, action, status);
          return keep(status);
        }),
      ];
    case "create event":
      return [
        step(`event '${action.event}' is made`, (k) => {
          const process = processNumber(k, action.process ?? 1);
          const body = allocate(k, 16, STRING_TAG, -1);
          initializeDispatcher(k, body, DISPATCHER_TYPE.SynchronizationEvent, false);
          const event = createManaged(k, "Event", body);
          nameHandle(k, action.event, process.address, openHandle(k, event, EVENT_ALL_ACCESS, process.address));
          dereference(k, event);
        }),
      ];
    case "exit":
      return exitSteps(action.process ?? 1);
    default:
      return action satisfies never;
  }
}

/** The status of an action, as the result of its steps. */
const answer = plan("an application has its answer", struct("Answer", { status: u32 }), [
  step("the answer", (_k, p) => done(p.status)),
]);
const keep = (status: number): Next => run(answer, [status >>> 0]);

type Shape = Pick<Requesting, "isMisaligned">;

function setInput(k: Kernel, process: Process, request: Request, { isMisaligned }: Shape, data: Data): void {
  const { address, bytes } = placeData(k, process, data, request.address, isMisaligned);
  request.input = address;
  request.inputBytes = bytes;
}

function setOutput(k: Kernel, process: Process, request: Request, { isMisaligned }: Shape, bytes: number): void {
  request.outputBytes = bytes;
  request.output = bytes === 0 ? 0 : allocateBuffer(k, process, bytes, request.address, isMisaligned);
}

/** Path of the device; undefined: the driver has none for applications. */
function pathOf(k: Kernel, device: (ApplicationAction & { do: "open" })["device"]): string | undefined {
  if (typeof device === "string") return device;
  const link = k.objects.all(SymbolicLink).find(({ slot }) => slot === device.ofDriver);
  return link === undefined ? undefined : readUnicodeString(k.memory, link.name);
}

function openSteps(action: ApplicationAction & { do: "open" }, hear: Hear): PlanStep<Locals>[] {
  const device = typeof action.device === "string" ? `'${action.device}'` : `the device of driver ${action.device.ofDriver}`;
  return [
    step(`${device} is opened as '${action.file}'`, (k, p) => {
      const process = processNumber(k, action.process ?? 1);
      const request = k.objects.create(Request);
      p.request = request.address;
      request.process = process.address;
      request.major = constant("IRP_MJ_CREATE");
      request.code = ACCESS[action.access ?? "read and write"];
      request.options = OPEN_EXISTING | (action.options ?? 0) | (action.overlapped === true ? 0 : SYNCHRONOUS_IO);
      request.share = SHARED;
      const path = pathOf(k, action.device);
      if (path === undefined) return keep(constant("STATUS_OBJECT_NAME_NOT_FOUND"));
      request.path = keepText(k, path, STRING_TAG);
      const { attribute } = action;
      if (attribute !== undefined) setInput(k, process, request, {}, extendedAttribute(attribute.name, attribute.value));
      become(k, process);
      return run(openFile, [request.address]);
    }),
    step("the application goes on", (k, p, status) => {
      const request = Request.at(k.memory, p.request);
      become(k, undefined);
      if (request.path === 0) request.state = "Complete";
      else free(k, request.path);
      if (request.handle !== 0 || request.path === 0) nameHandle(k, action.file, request.process, request.handle);
      collect(k, request, hear);
      judge(`opening ${device}`, action, status);
      return keep(status);
    }),
  ];
}

/** FILE_FULL_EA_INFORMATION: next offset, flags, length of the name, length of the value, name with its zero, value. */
function extendedAttribute(name: string, value: Data): Data {
  return [{ u32: 0 }, 0, name.length, { sizeOf: value }, { ansi: `${name}\0` }, ...value];
}

/** A request on an open file: sent, and awaited unless it has a name. */
function requestSteps(
  action: ApplicationAction & Requesting,
  what: string,
  hear: Hear,
  fill: (k: Kernel, process: Process, request: Request) => void,
): PlanStep<Locals>[] {
  const { file, request: name } = action;
  return [
    step(`${what} on '${file}'`, (k, p) => {
      const named = handleNamed(k, file);
      const process = Process.at(k.memory, named.process);
      const request = k.objects.create(Request);
      p.request = request.address;
      request.process = process.address;
      request.handle = named.handle;
      if (name !== undefined) request.name = numberOfName(name);
      fill(k, process, request);
      become(k, process);
      return run(sendRequest, [request.address]);
    }),
    step("the call has returned", (k, p, status) => {
      become(k, undefined);
      if (name !== undefined) return keep(status);
      const request = Request.at(k.memory, p.request);
      return request.state === "Sent" && status === STATUS_PENDING ? run(awaitRequest, [p.request]) : keep(status);
    }),
    step("the application goes on", (k, p, status) => {
      if (name !== undefined) {
        judge(`${what} on '${file}'`, action, status);
        return keep(status);
      }
      const output = collect(k, Request.at(k.memory, p.request), hear);
      judge(`${what} on '${file}'`, action, status, output);
      return keep(status);
    }),
  ];
}

/** All that the process has under way is cancelled, then its handles are closed. */
const exitProcess = plan("a process ends", struct("ExitProcess", { process: u32 }), [
  step("a request is cancelled", (k, p) => {
    const request = k.objects
      .all(Request)
      .find(({ process, state, isCancelled }) => process === p.process && state === "Sent" && !isCancelled);
    if (request === undefined) return goTo("a handle is closed");
    request.isCancelled = true;
    return run(cancelRequest, [request.address]);
  }),
  step("the next request", () => goTo("a request is cancelled")),
  step("a handle is closed", (k, p) => {
    const [handle] = handlesOf(k, p.process);
    return handle === undefined ? goTo("nobody is left to hear of its requests") : run(closeHandle, [k.objects.handleOf(handle)]);
  }),
  step("the next handle", () => goTo("a handle is closed")),
  step("nobody is left to hear of its requests", (k, p) => {
    become(k, undefined);
    for (const named of k.objects.all(NamedHandle)) if (named.process === p.process) k.objects.release(named);
    k.note("process ended", p.process);
  }),
]);

function exitSteps(number: number): PlanStep<Locals>[] {
  return [
    step(`process ${number} ends`, (k) => {
      const process = processNumber(k, number);
      become(k, process);
      return run(exitProcess, [process.address]);
    }),
  ];
}

export const applicationPlans = [answer, exitProcess];
