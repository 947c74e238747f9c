import { randomBytes } from 'node:crypto'
import { invalid } from '@haat/kit/errors'
import { z } from 'zod'
import { trackingNumber } from '../domain/tracking.ts'
import { renderLabel } from '../label/label.ts'
import type { Carrier } from './carrier.ts'
import { verifyTimestamped } from './signature.ts'

const notification = z.object({
  /** The scan's id; the same id twice is one scan. */
  id: z.string().min(1).max(100),
  trackingNo: z.string().min(4).max(64),
  status: z.enum(['label_created', 'in_transit', 'delivered', 'exception']),
  description: z.string().max(200).default(''),
  location: z.string().max(100).default(''),
  occurredAt: z.iso.datetime({ offset: true }),
})

/** The built-in carrier: prints its own labels and numbers; couriers report scans as signed JSON. */
export const tableCarrier = (options: { webhookSecrets: readonly string[] }): Carrier => ({
  name: 'table',
  createLabel: async () => ({ trackingNo: trackingNumber(randomBytes(12)), labelUrl: '' }),
  voidLabel: async () => undefined,
  printLabel: renderLabel,
  verify: (payload, signature, now) => verifyTimestamped(payload, signature, options.webhookSecrets, now),
  parse(payload) {
    const result = notification.safeParse(json(payload))
    if (!result.success) throw invalid('webhook_malformed', 'not a scan of the built-in carrier')
    const { id, trackingNo, occurredAt, ...scan } = result.data
    return { eventId: id, trackingNo, scans: [{ id, ...scan, occurredAt: new Date(occurredAt) }] }
  },
})

/** The body as JSON; undefined when it is none. */
export function json(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
  } catch {
    return undefined
  }
}
