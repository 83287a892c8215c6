/**
 * Who may touch a NET_BUFFER_LIST, with its NET_BUFFER structures, MDLs and data: nobody but the driver that has it.
 *
 * A sender may not write the data of what it has sent. Undocumented: whether it may read it. It may: nobody below writes it. Lists that a driver
 * derived from others share MDLs and data with them, which the driver may still have: only what is the list's own is given away. What a driver
 * gives back it may have again in another list, since one frame may be in several: its MDLs and data are not closed to it.
 *
 * Pages: nf-ndis-ndissendnetbufferlists, nf-ndis-ndismsendnetbufferlistscomplete, nf-ndis-ndismindicatereceivenetbufferlists,
 * nf-ndis-ndisreturnnetbufferlists.
 */
import { type GivingRoutine, forgetReturn, giveAway, rememberGiving, takeBack } from "../kernel/given-memory.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { Mdl, mdlsOf, startOf } from "../kernel/mdl.ts";
import { NetBufferList, listsOf } from "./chains.ts";
import { NetBuffer, netBuffersOf } from "./net-buffers.ts";

/** The running driver gives the lists away. */
export function giveLists(k: Kernel, first: number, routine: GivingRoutine): void {
  const driver = k.driverOfThread(k.current);
  if (driver < 0) return;
  const isSend = routine === "NdisSendNetBufferLists";
  const isOwn = isSend || routine === "NdisMIndicateReceiveNetBufferLists";
  for (const list of listsOf(k, first)) {
    const isDerived = NetBufferList.at(k.memory, list).ParentNetBufferList !== 0;
    for (const netBuffer of netBuffersOf(k, list)) {
      for (const mdl of isDerived ? [] : mdlsOf(k, NetBuffer.at(k.memory, netBuffer).MdlChain)) {
        const view = Mdl.at(k.memory, mdl);
        const data = startOf(view);
        rememberGiving(k, data, routine, driver);
        rememberGiving(k, mdl, routine, driver);
        if (isOwn) giveAway(k, data, view.ByteCount, driver, isSend);
      }
      rememberGiving(k, netBuffer, routine, driver);
      giveAway(k, netBuffer, NetBuffer.bytes, driver);
    }
    rememberGiving(k, list, routine, driver);
    giveAway(k, list, NetBufferList.bytes, driver);
  }
}

/** The lists come to the driver whose function that is. */
export function takeLists(k: Kernel, first: number, target: number): void {
  const driver = target === 0 ? -1 : k.driverOf(target);
  if (driver < 0) return;
  for (const list of listsOf(k, first)) {
    takeBack(k, list, NetBufferList.bytes, driver);
    forgetReturn(k, list, driver);
    for (const netBuffer of netBuffersOf(k, list)) {
      takeBack(k, netBuffer, NetBuffer.bytes, driver);
      forgetReturn(k, netBuffer, driver);
      for (const mdl of mdlsOf(k, NetBuffer.at(k.memory, netBuffer).MdlChain)) {
        const view = Mdl.at(k.memory, mdl);
        const data = startOf(view);
        takeBack(k, data, view.ByteCount, driver);
        forgetReturn(k, data, driver);
        forgetReturn(k, mdl, driver);
      }
    }
  }
}
