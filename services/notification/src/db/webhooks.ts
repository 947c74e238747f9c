import type { Webhook } from '@haat/proto/notification/v1/notification'
import type { ExpressionBuilder } from 'kysely'
import type { Database, StoredWebhook } from './schema.ts'

/** A vendor may have so many. */
export const MAX_WEBHOOKS = 10
/** Failures in a row after which an endpoint counts as gone. */
export const MAX_FAILURES = 50

/** Webhooks that still get deliveries. */
export const liveWebhook = (eb: ExpressionBuilder<Database, 'webhooks_out'>) => eb('failures', '<', MAX_FAILURES)

export const toWebhook = (row: StoredWebhook): Webhook => ({
  id: row.id,
  vendorId: row.vendor_id,
  url: row.url,
  eventTypes: row.event_types,
  createdAt: row.created_at,
  lastSuccessAt: row.last_success_at ?? undefined,
  failures: row.failures,
})
