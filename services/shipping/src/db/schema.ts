import type { EventTables } from '@haat/kit/events/schema'
import type { Address } from '@haat/proto/common/v1/common'
import type { ColumnType, Generated } from 'kysely'
import type { Status } from '../domain/tracking.ts'

/** jsonb: read as a value, written as JSON text. */
type Json<T> = ColumnType<T, string, string>

export type RateTableRow = {
  id: string
  vendor_id: string | null
  code: string
  label: string
  carrier: string
  service_level: string
  basis: 'flat' | 'by_weight' | 'by_total'
  countries: string[]
  currency: string
  brackets: Json<{ upTo: string; amount: string }[]>
  free_from: bigint | null
  min_days: number
  max_days: number
  is_active: boolean
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

export type RatesCacheRow = {
  id: string
  hash: string
  request_json: Json<unknown>
  response_json: Json<unknown>
  revision: bigint
  expires_at: Date
}

export type Item = { orderItemId: string; sku: string; title: string; qty: number; weightGrams: number }

export type VendorOrderRow = {
  vendor_order_id: string
  vendor_id: string
  order_id: string
  order_no: string
  user_id: string
  ship_to: Json<Address> | null
  items: Json<Item[]>
  carrier: string
  service_level: string
  state: 'accepted' | 'cancelled'
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

export type LabelAttemptRow = {
  vendor_order_id: string
  shipment_id: string
  carrier: string
  service_level: string
  weight_grams: number
  locked_until: Date
  created_at: Generated<Date>
}

export type ShipmentRow = {
  id: string
  vendor_order_id: string
  order_id: string
  order_no: string
  vendor_id: string
  carrier: string
  service_level: string
  tracking_no: string
  label_url: string
  status: Status
  weight_grams: number
  ship_to: Json<Address> | null
  status_at: Date | null
  shipped_at: Date | null
  delivered_at: Date | null
  voided_at: Date | null
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

export type ShipmentItemRow = { shipment_id: string; order_item_id: string; sku: string; title: string; qty: number }

export type CarrierEventRow = { carrier: string; event_id: string; received_at: Generated<Date> }

export type TrackingEventRow = {
  id: string
  shipment_id: string
  scan_id: string
  status: Status
  description: string
  location: string
  occurred_at: Date
  recorded_at: Generated<Date>
}

export type Database = EventTables & {
  rate_tables: RateTableRow
  rate_revision: { one: Generated<boolean>; revision: bigint }
  rates_cache: RatesCacheRow
  vendor_orders: VendorOrderRow
  label_attempts: LabelAttemptRow
  shipments: ShipmentRow
  shipment_items: ShipmentItemRow
  carrier_events: CarrierEventRow
  tracking_events: TrackingEventRow
  forgotten_users: { user_id: string; forgotten_at: Date }
}
