import type { EventTables } from '@haat/kit/events/schema'
import type { Generated } from 'kysely'

export type InventoryRow = {
  id: string
  sku: string
  product_id: string
  vendor_id: string
  warehouse_id: string | null
  quantity_on_hand: number
  quantity_reserved: number
  reorder_point: number
  safety_stock: number
  version: number
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

export type ReservationRow = {
  order_id: string
  sku: string
  qty: number
  state: 'held' | 'committed' | 'released' | 'expired'
  expires_at: Date
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

export type StockMovementRow = {
  id: string
  sku: string
  vendor_id: string
  kind: 'count' | 'adjust' | 'sale' | 'restock'
  delta: number
  on_hand_after: number
  reason: string
  reference: string | null
  note: string
  by_user_id: string | null
  at: Generated<Date>
}

export type RestockRow = { reference: string; order_id: string; lines: string; at: Generated<Date> }

export type AdjustmentKeyRow = { vendor_id: string; key: string; request_hash: string; at: Generated<Date> }

export type Database = EventTables & {
  inventory: InventoryRow
  reservations: ReservationRow
  stock_movements: StockMovementRow
  restocks: RestockRow
  adjustment_keys: AdjustmentKeyRow
}
