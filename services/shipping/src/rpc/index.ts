import type { RpcTable } from '@haat/kit/grpc-server'
import type { ShippingServiceImplementation } from '@haat/proto/shipping/v1/shipping'
import type { ShippingContext } from '../context.ts'
import { createLabel } from './create-label.ts'
import { deleteRateTable } from './delete-rate-table.ts'
import { getLabel } from './get-label.ts'
import { getRates } from './get-rates.ts'
import { getShipment } from './get-shipment.ts'
import { listRateTables } from './list-rate-tables.ts'
import { listShipments } from './list-shipments.ts'
import { recordCarrierEvent } from './record-carrier-event.ts'
import { track } from './track.ts'
import { upsertRateTable } from './upsert-rate-table.ts'

export const rpc: RpcTable<ShippingContext, ShippingServiceImplementation> = {
  createLabel,
  deleteRateTable,
  getLabel,
  getRates,
  getShipment,
  listRateTables,
  listShipments,
  recordCarrierEvent,
  track,
  upsertRateTable,
}
