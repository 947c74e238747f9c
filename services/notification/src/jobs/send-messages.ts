import type { Call } from '@haat/kit/call'
import { job } from '@haat/kit/jobs'
import { isOutage } from '@haat/kit/store-away'
import { type Outgoing, ProviderError, SEND_TIMEOUT_MS } from '../channels/provider.ts'
import type { NotificationContext } from '../context.ts'
import { composeMessage, unsubscribeOf, type Written } from '../db/compose-message.ts'
import { payloadOf } from '../db/messages.ts'
import { hasLeft, type Known, loadPeople, NOBODY } from '../db/people.ts'
import { resolvePeople } from '../db/resolve-people.ts'
import type { StoredMessage, StoredTemplate } from '../db/schema.ts'
import { listCurrent, pickForLocale } from '../db/templates.ts'
import { retryOf } from '../domain/backoff.ts'
import { DEFAULT_LOCALE } from '../domain/locale.ts'
import { wants } from '../domain/preferences.ts'
import { TemplateError } from '../domain/template.ts'
import { drain, noteDown } from './drain.ts'

/** What an attempt came to, and what is known of the message since. */
type Outcome = (
  | { status: 'sent'; provider: string; providerId: string }
  | { status: 'retry'; error: string; retryAfterSeconds?: number; isOutage?: boolean }
  | { status: 'failed'; error: string }
  | { status: 'suppressed'; hasLeft: boolean }
) & { to?: string; written?: Written; provider?: string }

/**
 * Sends what is due. A provider's yes and the note that it was given are two steps: a crash between them, or an answer that never
 * arrives, makes the message go out again (with the same Message-ID). Nothing else sends twice.
 */
export const sendMessages = job<NotificationContext>('send-messages', {
  everySeconds: 5,
  run: (ctx, call) =>
    drain<StoredMessage, Batch>(
      { db: ctx.db, table: 'messages', now: ctx.now, call, first: 'priority' },
      (rows) => readBatch(ctx, call, rows),
      async (row, batch) => {
        // The lease is nearly over: another process may take the message before this one is done with it.
        if (row.leased_until!.getTime() - ctx.now().getTime() < SEND_TIMEOUT_MS) return
        const outcome = await attempt(ctx, row, batch)
        await noteDown({ call, now: ctx.now }, row, () => finish(ctx, row, outcome))
        const { id: messageId, template_key: template, channel } = row
        const error = 'error' in outcome ? outcome.error : undefined
        call.log.info({ messageId, template, channel, outcome: outcome.status, error }, 'message')
      },
    ),
})

/**
 * Those a batch is for, and the templates of what is not written yet; `failure` is why some addresses could not be
 * asked for.
 */
type Batch = { people: Map<string, Known>; failure?: unknown; templates: StoredTemplate[] }

async function readBatch(ctx: NotificationContext, call: Call, rows: StoredMessage[]): Promise<Batch> {
  const unwritten = rows.filter((row) => !isWritten(row)).map((row) => row.template_key)
  const templates = unwritten.length ? await listCurrent(ctx.db, unwritten) : []
  const persons = rows.filter((row) => row.user_id !== null)
  const ids = persons.map((row) => row.user_id!)
  const known = await loadPeople(ctx.db, ids)
  const unaddressed = persons
    .filter((row) => row.to === '')
    .map((row) => ({ userId: row.user_id!, withPhone: row.channel === 'sms' }))
  return resolvePeople(ctx, known, unaddressed).then(
    (people) => ({ people, templates }),
    (err) => {
      call.log.warn({ err }, 'recipients cannot be resolved')
      return { people: known, failure: err, templates }
    },
  )
}

async function attempt(
  ctx: NotificationContext,
  row: StoredMessage,
  { people, failure, templates }: Batch,
): Promise<Outcome> {
  if (row.expires_at && row.expires_at <= ctx.now()) return { status: 'failed', error: 'expired' }
  const known = (row.user_id && people.get(row.user_id)) || NOBODY
  if (hasLeft(known)) return { status: 'suppressed', hasLeft: true }
  if (!wants(known.wishes, row.topic, row.channel)) return { status: 'suppressed', hasLeft: false }
  const to = row.to || addressOf(known, row)
  if (!to && failure) return { status: 'retry', error: 'recipient_unresolved', isOutage: isOutage(failure) }
  if (!to) return { status: 'failed', error: known.person ? 'recipient_missing' : 'user_not_found' }

  const provider = ctx.providers[row.channel]
  if (!provider) return { status: 'retry', error: 'channel_unconfigured' }
  const keys = row.channel === 'push' ? await findKeys(ctx, row) : undefined
  if (row.channel === 'push' && !keys) return { status: 'failed', error: 'push_subscription_gone' }

  const written = write(ctx, row, known, templates)
  if (typeof written === 'string') return { status: 'failed', error: written, to }
  try {
    const { providerId } = await provider.send({ ...envelope(ctx, row), to, ...written, keys })
    return { status: 'sent', provider: provider.name, providerId, to, written }
  } catch (error) {
    const refusal = error instanceof ProviderError ? error : new ProviderError(`${provider.name} failed`)
    if (refusal.gone && row.channel === 'push') await forgetSubscription(ctx, row)
    const rest = { error: refusal.message, provider: provider.name, to, written }
    if (refusal.permanent) return { status: 'failed', ...rest }
    return { status: 'retry', retryAfterSeconds: refusal.retryAfterSeconds, ...rest }
  }
}

/** A message of somebody who was forgotten while it was queued. */
const BLANK = { to: '', subject: '', body_html: '', body_text: '', link: '', payload_json: '{}' }

const addressOf = ({ person }: Known, row: StoredMessage): string =>
  (row.channel === 'sms' ? person?.phone : person?.email) ?? ''

const isWritten = (row: StoredMessage): boolean => row.template_version > 0 && row.body_text !== ''

/** The message's text: as it was written before, or new; the reason when it cannot be written. */
function write(
  ctx: NotificationContext,
  row: StoredMessage,
  known: Known,
  templates: StoredTemplate[],
): Written | string {
  if (isWritten(row))
    return {
      subject: row.subject,
      html: row.body_html,
      text: row.body_text,
      link: row.link,
      locale: row.locale || 'en',
      version: row.template_version,
      missing: [],
    }
  const { template_key: key, channel, topic } = row
  const locale = known.person?.locale ?? (row.locale || DEFAULT_LOCALE)
  const template = pickForLocale(templates, { key, channel, locale })
  if (!template) return 'template_not_found'
  try {
    const payload = payloadOf(row, known.person?.name)
    const written = composeMessage(ctx, template, { topic, userId: row.user_id ?? undefined, payload })
    return written.missing.length ? `template_variable_missing: ${written.missing.join(', ')}` : written
  } catch (error) {
    if (error instanceof TemplateError) return `template_invalid: ${error.message}`
    throw error
  }
}

function envelope(ctx: NotificationContext, row: StoredMessage): Pick<Outgoing, 'id' | 'unsubscribe' | 'ttlSeconds'> {
  const { user_id, topic, channel } = row
  const secondsLeft = row.expires_at ? (row.expires_at.getTime() - ctx.now().getTime()) / 1000 : 86_400
  return {
    id: row.id,
    unsubscribe: unsubscribeOf(ctx, { userId: user_id ?? undefined, topic, channel }),
    ttlSeconds: Math.floor(secondsLeft),
  }
}

const subscriptionId = (row: StoredMessage) => row.recipient.slice('push:'.length)

const findKeys = (ctx: NotificationContext, row: StoredMessage) =>
  ctx.db
    .selectFrom('push_subscriptions')
    .select(['p256dh', 'auth'])
    .where('id', '=', subscriptionId(row))
    .executeTakeFirst()

const forgetSubscription = (ctx: NotificationContext, row: StoredMessage) =>
  ctx.db.deleteFrom('push_subscriptions').where('id', '=', subscriptionId(row)).execute()

/** Notes what the attempt came to; a message that was dropped or retried by hand meanwhile stays as it is. */
async function finish(ctx: NotificationContext, row: StoredMessage, outcome: Outcome): Promise<void> {
  const { written } = outcome
  const { attempts, again } =
    outcome.status === 'retry'
      ? retryOf(ctx.now(), row.attempts, ctx.messageRetrySeconds, outcome)
      : { attempts: row.attempts, again: undefined }
  const status = outcome.status === 'retry' ? (again ? 'queued' : 'failed') : outcome.status
  const isBlanked = row.confidential && !ctx.showsSecrets && status !== 'queued' && status !== 'failed'
  let update = ctx.db
    .updateTable('messages')
    .set({
      status,
      leased_until: null,
      next_attempt_at: again ?? null,
      attempts,
      error: 'error' in outcome ? outcome.error : '',
      ...(outcome.provider && { provider: outcome.provider }),
      ...(outcome.to && { to: outcome.to }),
      ...(written && {
        locale: written.locale,
        template_version: written.version,
        subject: written.subject,
        body_html: written.html,
        body_text: written.text,
        link: written.link,
      }),
      ...(outcome.status === 'sent' && { provider_id: outcome.providerId, sent_at: ctx.now() }),
      ...(isBlanked && { body_html: '', body_text: '', payload_json: '{}' }),
      ...(outcome.status === 'suppressed' && outcome.hasLeft && BLANK),
    })
    .where('id', '=', row.id)
    .where('status', '=', 'queued')
  // Sent is sent; any other outcome counts only while the message is still this attempt's.
  if (outcome.status !== 'sent') update = update.where('leased_until', '=', row.leased_until)
  await update.execute()
}
