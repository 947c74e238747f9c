import { createHash } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import { currentCall } from './call.ts'
import { aborted, conflict } from './errors.ts'
import { newId } from './id.ts'

/** The table of packages/kit/sql/idempotency.sql. */
export type IdempotencyKeys = {
  scope: string
  key: string
  request_hash: string
  resource_id: string
  response: Buffer | null
  locked_until: Date
  created_at: Date
}

type Codec<Message> = { encode(message: Message): { finish(): Uint8Array }; decode(bytes: Uint8Array): Message }

/** An attempt holds its key as long as its caller waits, and this much longer: at the deadline all its own calls end. */
const MARGIN_SECONDS = 5
/** How long it does when no call limits it. */
const LOCK_SECONDS = 60

/**
 * Runs a request once per key (RPC semantics of Stripe's idempotent requests): same key and body → the first answer; same
 * key, other body → ALREADY_EXISTS `idempotency_key_reused`; while the first runs → ABORTED `idempotency_key_in_flight`.
 * The key is stored with a hash of the request before any side effect. A failure removes it, so that the client may
 * correct and retry; an attempt cut off by a crash is taken over once its deadline has passed, and gets the same `resourceId`.
 */
export async function once<Message>(
  db: Kysely<{ idempotency_keys: IdempotencyKeys }>,
  options: { scope: string; key: string; request: Uint8Array; response: Codec<Message> },
  work: (resourceId: string) => Promise<Message>,
): Promise<Message> {
  const { scope, key } = options
  const hash = createHash('sha256').update(options.request).digest('hex')
  const call = currentCall()
  const seconds = call ? Math.max(0, call.deadline - Date.now()) / 1000 + MARGIN_SECONDS : LOCK_SECONDS
  // In whole milliseconds, so that a claim is known again by it.
  const lockedUntil = sql<Date>`date_trunc('milliseconds', now() + make_interval(secs => ${seconds}))`
  const claimed = await db
    .insertInto('idempotency_keys')
    .values({
      scope,
      key,
      request_hash: hash,
      resource_id: newId(),
      response: null,
      locked_until: lockedUntil,
      created_at: sql`now()`,
    })
    .onConflict((c) =>
      c
        .columns(['scope', 'key'])
        .doUpdateSet({ locked_until: lockedUntil })
        .where('idempotency_keys.response', 'is', null)
        .where('idempotency_keys.locked_until', '<', sql<Date>`now()`)
        .where('idempotency_keys.request_hash', '=', hash),
    )
    .returning(['resource_id', 'locked_until'])
    .executeTakeFirst()
  const row = db.selectFrom('idempotency_keys').where('scope', '=', scope).where('key', '=', key)
  if (!claimed) {
    const known = await row.select(['request_hash', 'response']).executeTakeFirst()
    if (known && known.request_hash !== hash)
      throw conflict('idempotency_key_reused', 'this idempotency key was used with another request')
    if (known?.response) return options.response.decode(known.response)
    throw aborted('idempotency_key_in_flight', 'a request with this idempotency key is still running')
  }
  try {
    const answer = await work(claimed.resource_id)
    await db
      .updateTable('idempotency_keys')
      .set({ response: Buffer.from(options.response.encode(answer).finish()) })
      .where('scope', '=', scope)
      .where('key', '=', key)
      .execute()
    return answer
  } catch (error) {
    await db
      .deleteFrom('idempotency_keys')
      .where('scope', '=', scope)
      .where('key', '=', key)
      .where('response', 'is', null)
      // Whoever has taken the key over meanwhile keeps it.
      .where('locked_until', '=', claimed.locked_until)
      .execute()
    throw error
  }
}
