/** The I/O manager: devices, files, and requests on their way through drivers. */
import { cancelHandlers, cancelRequest, cancelRoutines } from "./cancel.ts";
import { callDriver, completeRequest, completionHandlers, completionRoutines } from "./completion.ts";
import { cancelInQueue, csqHandlers, csqRoutines } from "./csq.ts";
import { Device, SymbolicLink, deviceRoutines } from "./devices.ts";
import { driverRequestRoutines } from "./driver-requests.ts";
import { awaitRequest, closeFile, closeHandle, openFile, sendRequest } from "./files.ts";
import { Dispatch, Request, irpRoutines } from "./irps.ts";

export const ioRoutines = [
  ...deviceRoutines,
  ...irpRoutines,
  ...completionRoutines,
  ...cancelRoutines,
  ...csqRoutines,
  ...driverRequestRoutines,
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
