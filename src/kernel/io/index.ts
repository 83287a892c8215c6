/** The I/O manager: devices, files, and requests on their way through drivers. */
import { cancelHandlers, cancelRequest, cancelRoutines } from "./cancel.ts";
import { callDriver, completeRequest, completionHandlers, completionRoutines } from "./completion.ts";
import { cancelInQueue, csqHandlers, csqRoutines } from "./csq.ts";
import { Device, SymbolicLink, deviceRoutines } from "./devices.ts";
import { fileServiceRoutines } from "./file-services.ts";
import { driverRequestRoutines } from "./driver-requests.ts";
import { closeFile, closeHandle } from "./close.ts";
import { openFile } from "./files.ts";
import { Dispatch, Request, irpRoutines } from "./irps.ts";
import { awaitRequest, sendRequest } from "./requests.ts";

export const ioRoutines = [
  ...deviceRoutines,
  ...irpRoutines,
  ...completionRoutines,
  ...cancelRoutines,
  ...csqRoutines,
  ...driverRequestRoutines,
  ...fileServiceRoutines,
];
export const ioPlans = [
  callDriver,
  completeRequest,
  cancelRequest,
  cancelInQueue,
  openFile,
  sendRequest,
  awaitRequest,
  closeHandle,
  closeFile,
];
export const ioObjectTypes = [Device, SymbolicLink, Dispatch, Request];
export const ioHandlers = [...completionHandlers, ...cancelHandlers, ...csqHandlers] as const;
