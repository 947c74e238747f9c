/** Vendor orders are always locked in the order of their ids, so that two events of one order never wait for each other. */
export const byId = (a: { vendorOrderId: string }, b: { vendorOrderId: string }): number =>
  a.vendorOrderId < b.vendorOrderId ? -1 : a.vendorOrderId > b.vendorOrderId ? 1 : 0
