import type { Address } from '@haat/proto/common/v1/common'
import type { Scan } from '../domain/tracking.ts'

export type LabelOrder = {
  /** Our id of the shipment: asking again with it never makes a second label. */
  reference: string
  orderNo: string
  serviceLevel: string
  weightGrams: number
  shipTo: Address
}

export type LabelAnswer = { trackingNo: string; labelUrl: string }

/** What a printed label shows. */
export type LabelSheet = {
  trackingNo: string
  labelUrl: string
  orderNo: string
  serviceLevel: string
  weightGrams: number
  shipTo: Address | undefined
  items: readonly { sku: string; title: string; qty: number }[]
  createdAt: Date
}

/** A carrier's notification: all scans it tells of one parcel; without a number it is about something else. */
export type CarrierEvent = { eventId: string; trackingNo: string | undefined; scans: Scan[] }

/**
 * Somebody who carries parcels. Calls that wait for a network take a signal; they fail with `carrier_unavailable` (safe to
 * repeat) or `carrier_rejected` (repeating is of no use).
 */
export type Carrier = {
  name: string
  createLabel(order: LabelOrder, signal: AbortSignal): Promise<LabelAnswer>
  /** Gives an unused label back; one that does not exist is fine. */
  voidLabel(reference: string, signal: AbortSignal): Promise<void>
  /** The label as PDF. */
  printLabel(sheet: LabelSheet, signal: AbortSignal): Promise<Uint8Array>
  /** True when the signature header belongs to exactly these bytes. */
  verify(payload: Uint8Array, signature: string, now: Date): boolean
  /** INVALID_ARGUMENT `webhook_malformed` when the body is not the carrier's. */
  parse(payload: Uint8Array): CarrierEvent
}
